import type { Command } from 'commander'
import { ReshareError, type IncomingShare, type SharePermission } from '../../shares/index.ts'

const settledByOwner = ['name', 'expires', 'strict', 'legacy'] as const

/**
 * A share is passed on as its owner gave it; there is no way to ask for it otherwise.
 *
 * @throws ReshareError `reshare_option`.
 */
export function checkReshareOptions(
  command: Command,
  permissions: readonly SharePermission[],
  { permissions: given, owner }: IncomingShare,
): void {
  const isSet = (option: string) => command.getOptionValueSource(option) === 'cli'
  const meant = settledByOwner.find(isSet)
  if (meant !== undefined) {
    const message = `${owner} gave this share, and it is passed on as it is; leave out --${meant}.`
    throw new ReshareError('reshare_option', message)
  }
  const isSame =
    given?.length === permissions.length && given.every((one) => permissions.includes(one))
  if (!isSet('permissions') || isSame) return
  const known = given === null ? '' : ` (${given.join(',')})`
  const message = `${owner} gave this share, and it is passed on with its own permissions${known}; leave out --permissions.`
  throw new ReshareError('reshare_option', message)
}
