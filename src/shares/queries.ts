import { and, desc, eq, gt, inArray, isNull, lt, notExists, or, sql } from 'drizzle-orm'
import {
  accessTokens,
  outbox,
  outgoingShares,
  refreshTokens,
  users,
  type Database,
  type Reader,
  type Transaction,
} from '../db/index.ts'

export type OutgoingShareRow = typeof outgoingShares.$inferSelect
export type RefreshTokenRow = typeof refreshTokens.$inferSelect

/** A share with its owner's name. */
export interface OwnedShare {
  share: OutgoingShareRow
  owner: string
}

const ownedShares = (db: Reader) =>
  db
    .select({ share: outgoingShares, owner: users.username })
    .from(outgoingShares)
    .innerJoin(users, eq(users.id, outgoingShares.ownerId))

export async function selectShares(db: Reader, owner?: string): Promise<OwnedShare[]> {
  const mine = owner === undefined ? undefined : eq(users.username, owner)
  return ownedShares(db).where(mine).orderBy(desc(outgoingShares.createdAt), outgoingShares.id)
}

export async function findShare(db: Reader, id: string): Promise<OwnedShare | undefined> {
  const rows = await ownedShares(db).where(eq(outgoingShares.id, id))
  return rows[0]
}

/**
 * Hot: every exchange and every request with the refresh token itself. Unknown, revoked, expired
 * and orphaned secrets are all "no row". Uses index refresh_tokens_secret_hash_unique.
 */
export const prepareFindLiveShare = (db: Database) =>
  db
    .select({ share: outgoingShares, owner: users.username, refreshTokenId: refreshTokens.id })
    .from(refreshTokens)
    .innerJoin(outgoingShares, eq(outgoingShares.id, refreshTokens.shareId))
    .innerJoin(users, eq(users.id, outgoingShares.ownerId))
    .where(
      and(
        eq(refreshTokens.secretHash, sql.placeholder('secretHash')),
        isNull(refreshTokens.revokedAt),
        isNull(outgoingShares.revokedAt),
        isNull(users.disabledAt),
        or(isNull(outgoingShares.expiresAt), gt(outgoingShares.expiresAt, sql.placeholder('now'))),
      ),
    )
    .prepare()

export async function insertShare(
  db: Transaction,
  share: typeof outgoingShares.$inferInsert,
  refreshToken: typeof refreshTokens.$inferInsert,
): Promise<void> {
  await db.insert(outgoingShares).values(share)
  await db.insert(refreshTokens).values(refreshToken)
}

/** The living refresh token of a share. Uses index refresh_tokens_share. */
export async function findToken(db: Reader, shareId: string): Promise<RefreshTokenRow | undefined> {
  const rows = await db
    .select()
    .from(refreshTokens)
    .where(and(eq(refreshTokens.shareId, shareId), isNull(refreshTokens.revokedAt)))
  return rows[0]
}

/** When the outbox came; a later share that nothing is owed of was dropped from it. */
const outboxSince = sql`(SELECT applied_at FROM migrations WHERE name = '0002_federation')`

/** Shares from before there was an outbox whose sending was interrupted. */
export const selectInterrupted = (db: Reader): Promise<OutgoingShareRow[]> =>
  db
    .select()
    .from(outgoingShares)
    .where(
      and(
        eq(outgoingShares.state, 'pending'),
        isNull(outgoingShares.problem),
        isNull(outgoingShares.revokedAt),
        lt(outgoingShares.createdAt, outboxSince),
        notExists(
          db.select({ id: outbox.id }).from(outbox).where(eq(outbox.subject, outgoingShares.id)),
        ),
      ),
    )

/** Records how sending goes, unless the share was answered or revoked meanwhile. */
export async function markShare(
  db: Transaction,
  id: string,
  change: Pick<OutgoingShareRow, 'problem'> & Partial<OutgoingShareRow>,
): Promise<void> {
  const isUnanswered = inArray(outgoingShares.state, ['pending', 'failed'])
  await db
    .update(outgoingShares)
    .set(change)
    .where(and(eq(outgoingShares.id, id), isUnanswered, isNull(outgoingShares.revokedAt)))
}

/** When it arrived, whatever was answered meanwhile. */
export async function noteSent(db: Transaction, id: string, sentAt: number): Promise<void> {
  await db.update(outgoingShares).set({ sentAt }).where(eq(outgoingShares.id, id))
}

/** The living shares that pass this one on. Uses index outgoing_shares_parent. */
export const selectChildren = (db: Reader, parentId: string): Promise<OutgoingShareRow[]> =>
  db
    .select()
    .from(outgoingShares)
    .where(and(eq(outgoingShares.parentId, parentId), isNull(outgoingShares.revokedAt)))

/** Once the peer has it we only need to recognise the secret, not to know it. */
export async function forgetSealedSecret(db: Transaction, shareId: string): Promise<void> {
  await db
    .update(refreshTokens)
    .set({ sealedSecret: null })
    .where(eq(refreshTokens.shareId, shareId))
}

/** Ends the share, its refresh token and all access tokens together. */
export async function revokeShareRows(db: Transaction, id: string, now: number): Promise<void> {
  await db
    .update(outgoingShares)
    .set({ state: 'revoked', revokedAt: now })
    .where(eq(outgoingShares.id, id))
  await db
    .update(refreshTokens)
    .set({ revokedAt: now, sealedSecret: null })
    .where(and(eq(refreshTokens.shareId, id), isNull(refreshTokens.revokedAt)))
  await db
    .update(accessTokens)
    .set({ revokedAt: now })
    .where(and(eq(accessTokens.shareId, id), isNull(accessTokens.revokedAt)))
}

/** Where the shares of an owner begin. Uses index outgoing_shares_owner. */
export const selectLivePaths = (
  db: Reader,
  ownerId: string,
): Promise<{ id: string; path: string[] }[]> =>
  db
    .select({ id: outgoingShares.id, path: outgoingShares.path })
    .from(outgoingShares)
    .where(and(eq(outgoingShares.ownerId, ownerId), isNull(outgoingShares.revokedAt)))

/** What an owner shares with somebody now. Uses index outgoing_shares_owner. */
export const selectOpenPaths = (
  db: Reader,
  ownerId: string,
  now: number,
): Promise<{ id: string; path: string[] }[]> =>
  db
    .select({ id: outgoingShares.id, path: outgoingShares.path })
    .from(outgoingShares)
    .where(
      and(
        eq(outgoingShares.ownerId, ownerId),
        inArray(outgoingShares.state, ['pending', 'sent', 'accepted']),
        or(isNull(outgoingShares.expiresAt), gt(outgoingShares.expiresAt, now)),
      ),
    )

export async function updatePath(db: Transaction, id: string, path: string[]): Promise<void> {
  await db.update(outgoingShares).set({ path }).where(eq(outgoingShares.id, id))
}
