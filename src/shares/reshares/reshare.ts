import { newId } from '../../core/index.ts'
import type { IncomingShareRow } from '../incoming/queries.ts'
import type { AskedReshare, ReshareRow } from './queries.ts'

/** A received share that one of our users passes on; instants in epoch milliseconds. */
export interface Reshare extends Omit<ReshareRow, 'sealedToken'> {
  /** The user name of who passes it on. */
  readonly user: string
  /** What is passed on, as its owner gave it. */
  readonly parent: Omit<IncomingShareRow, 'sealedSecret' | 'contentHash'>
}

export const newReshareId = (): string => `rsh-${newId()}`

export const isReshareId = (text: string): boolean => text.startsWith('rsh-')

export function withoutToken({ row, parent, user }: AskedReshare): Reshare {
  const { sealedToken: _token, ...shown } = row
  const { sealedSecret: _secret, contentHash: _hash, ...given } = parent
  return { ...shown, user, parent: given }
}
