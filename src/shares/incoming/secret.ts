import { createHash, timingSafeEqual } from 'node:crypto'
import type { Sealer } from '../../core/index.ts'
import type { IncomingShareRow } from './queries.ts'

/** What opens a share at its sender. */
export interface AccessSecret {
  readonly secret: string
  /** What is exchanged in place of the secret, where it differs. */
  readonly code: string | null
}

const contextOf = (id: string): string => `incoming_shares.secret:${id}`

export const sealSecret = (sealer: Sealer, id: string, { secret, code }: AccessSecret): Buffer =>
  sealer.seal(JSON.stringify({ secret, ...(code !== null && { code }) }), contextOf(id))

/** Undefined once the share has ended. */
export function openSecret(
  sealer: Sealer,
  { id, sealedSecret }: Pick<IncomingShareRow, 'id' | 'sealedSecret'>,
): AccessSecret | undefined {
  if (sealedSecret === null) return undefined
  const opened = JSON.parse(sealer.open(sealedSecret, contextOf(id))) as Partial<AccessSecret>
  return { secret: opened.secret ?? '', code: opened.code ?? null }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Takes as long whatever is the same in both. */
export const sameText = (one: string, other: string): boolean =>
  timingSafeEqual(digest(one), digest(other))
