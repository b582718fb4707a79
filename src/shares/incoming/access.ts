import { LRUCache } from 'lru-cache'
import { Secret, type Sealer } from '../../core/index.ts'
import { inTransaction, remember, type Database } from '../../db/index.ts'
import { findIncoming, updateIncoming, type IncomingShareRow } from './queries.ts'
import { openSecret, type AccessSecret } from './secret.ts'

/** What a received share is opened with, and what came of it; secrets are sealed. */
export type ShareAccess = Pick<
  IncomingShareRow,
  | 'id'
  | 'senderHost'
  | 'resourceType'
  | 'strict'
  | 'form'
  | 'uri'
  | 'sealedSecret'
  | 'state'
  | 'problem'
  | 'problemAt'
  | 'expiresAt'
  | 'authMode'
  | 'sealedAccessToken'
  | 'accessTokenIssuedAt'
  | 'accessTokenExpiresAt'
  | 'refreshLeaseHolder'
  | 'refreshLeaseUntil'
  | 'accessRetryAt'
>

/** What may change of it. */
export type AccessChange = Partial<
  Omit<
    ShareAccess,
    'id' | 'senderHost' | 'resourceType' | 'strict' | 'form' | 'uri' | 'sealedSecret' | 'expiresAt'
  >
>

export type AccessStore = ReturnType<typeof createAccessStore>

const maxShares = 1000

const contextOf = (id: string): string => `incoming_shares.access_token:${id}`

/** How received shares are opened, as the database has it: read for every request to a mount. */
export function createAccessStore({ db, sealer }: { db: Database; sealer: Sealer }) {
  const look = async (id: string): Promise<ShareAccess | undefined> =>
    (await findIncoming(db, id))?.row

  return {
    /** As of the last commit of anybody that this process has seen. */
    find: remember(db, maxShares, look),

    /**
     * Changes what is opened, unless it changed meanwhile so that `decide` gives nothing.
     *
     * @returns the share as it is afterwards.
     */
    change: (
      id: string,
      decide: (current: ShareAccess) => AccessChange | undefined,
    ): Promise<ShareAccess | undefined> =>
      inTransaction(db, async (tx) => {
        const current = (await findIncoming(tx, id))?.row
        const change = current && decide(current)
        if (change === undefined) return current
        await updateIncoming(tx, [id], change)
        return { ...current, ...change } as ShareAccess
      }),

    /** The refresh token; undefined once the share has ended. */
    secretOf: openedOnce<ShareAccess, AccessSecret>(
      ({ sealedSecret }) => sealedSecret,
      (share) => openSecret(sealer, share),
    ),

    /** The access token that was kept, whether it is still good or not. */
    accessTokenOf: openedOnce<ShareAccess, string>(
      ({ sealedAccessToken }) => sealedAccessToken,
      ({ id }, sealed) => sealer.open(sealed, contextOf(id)),
    ),

    sealAccessToken: (id: string, token: string): Buffer => sealer.seal(token, contextOf(id)),
  }
}

/** Opens what is sealed once for many requests: as long as the same bytes are in the row. */
function openedOnce<Row extends { readonly id: string }, Plain>(
  sealedOf: (row: Row) => Buffer | null,
  open: (row: Row, sealed: Buffer) => Plain | undefined,
): (row: Row) => Secret<Plain> | undefined {
  const opened = new LRUCache<string, { sealed: Buffer; plain: Secret<Plain> }>({ max: maxShares })
  return (row) => {
    const sealed = sealedOf(row)
    if (sealed === null) return undefined
    const known = opened.get(row.id)
    if (known?.sealed.equals(sealed)) return known.plain
    const plain = open(row, sealed)
    if (plain === undefined) return undefined
    const kept = { sealed, plain: new Secret(plain) }
    opened.set(row.id, kept)
    return kept.plain
  }
}
