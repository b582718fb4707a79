import { and, desc, eq, gt, inArray, isNull, lte, notInArray, or, sql } from 'drizzle-orm'
import {
  accessTokens,
  deleteSome,
  outgoingShares,
  refreshTokens,
  signingKeys,
  users,
  type Database,
  type Reader,
  type Transaction,
} from '../db/index.ts'

export type AccessTokenRow = typeof accessTokens.$inferSelect

/**
 * Hot: every request with an access token. Nothing that was revoked, has expired, was signed with a
 * retired key or belongs to a disabled user is a row. Uses the primary key of access_tokens, then
 * the primary keys of the tables it leads to.
 */
export const prepareFindLiveToken = (db: Database) =>
  db
    .select({
      shareId: outgoingShares.id,
      ownerId: outgoingShares.ownerId,
      owner: users.username,
      path: outgoingShares.path,
      resourceType: outgoingShares.resourceType,
      permissions: outgoingShares.permissions,
      recipient: outgoingShares.recipient,
      recipientHost: outgoingShares.recipientHost,
      shareExpiresAt: outgoingShares.expiresAt,
      expiresAt: accessTokens.expiresAt,
      kid: accessTokens.kid,
    })
    .from(accessTokens)
    .innerJoin(refreshTokens, eq(refreshTokens.id, accessTokens.refreshTokenId))
    .innerJoin(outgoingShares, eq(outgoingShares.id, accessTokens.shareId))
    .innerJoin(users, eq(users.id, outgoingShares.ownerId))
    .innerJoin(signingKeys, eq(signingKeys.kid, accessTokens.kid))
    .where(
      and(
        eq(accessTokens.jti, sql.placeholder('jti')),
        gt(accessTokens.expiresAt, sql.placeholder('now')),
        isNull(accessTokens.revokedAt),
        isNull(refreshTokens.revokedAt),
        isNull(outgoingShares.revokedAt),
        or(isNull(outgoingShares.expiresAt), gt(outgoingShares.expiresAt, sql.placeholder('now'))),
        isNull(users.disabledAt),
        inArray(signingKeys.state, ['staged', 'active', 'retiring']),
      ),
    )
    .prepare()

/** What a living token leads to. */
export type LiveToken = Awaited<
  ReturnType<ReturnType<typeof prepareFindLiveToken>['execute']>
>[number]

/** Whether nobody has revoked a refresh token by now. */
export async function isRefreshTokenLive(db: Reader, id: string): Promise<boolean> {
  const rows = await db
    .select({ id: refreshTokens.id })
    .from(refreshTokens)
    .where(and(eq(refreshTokens.id, id), isNull(refreshTokens.revokedAt)))
  return rows.length > 0
}

/** Adds one row to the token map. */
export async function insertAccessToken(db: Transaction, row: AccessTokenRow): Promise<void> {
  await db.insert(accessTokens).values(row)
}

/**
 * Keeps the `keep` tokens of a refresh token that live longest, and drops the expired ones.
 * Uses index access_tokens_refresh_expiry.
 */
export async function evictAccessTokens(
  db: Transaction,
  refreshTokenId: string,
  keep: number,
  now: number,
): Promise<void> {
  const ours = eq(accessTokens.refreshTokenId, refreshTokenId)
  await db.delete(accessTokens).where(and(ours, lte(accessTokens.expiresAt, now)))
  const held = await db
    .select({ jti: accessTokens.jti })
    .from(accessTokens)
    .where(ours)
    .orderBy(desc(accessTokens.expiresAt))
    .limit(keep + 1)
  if (held.length <= keep) return
  const kept = held.slice(0, keep).map(({ jti }) => jti)
  await db.delete(accessTokens).where(and(ours, notInArray(accessTokens.jti, kept)))
}

/**
 * Drops tokens that expired before an instant, at most `limit`; revoked ones go with their expiry.
 * Uses index access_tokens_expiry.
 */
export const deleteExpiredTokens = (
  db: Transaction,
  before: number,
  limit: number,
): Promise<number> => deleteSome(db, accessTokens.jti, lte(accessTokens.expiresAt, before), limit)

export async function selectAccessTokens(db: Reader, shareId?: string): Promise<AccessTokenRow[]> {
  return db
    .select()
    .from(accessTokens)
    .where(shareId === undefined ? undefined : eq(accessTokens.shareId, shareId))
    .orderBy(desc(accessTokens.issuedAt), accessTokens.jti)
}

export async function findAccessToken(
  db: Reader,
  jti: string,
): Promise<AccessTokenRow | undefined> {
  const rows = await db.select().from(accessTokens).where(eq(accessTokens.jti, jti))
  return rows[0]
}

export async function revokeAccessToken(db: Transaction, jti: string, now: number): Promise<void> {
  await db
    .update(accessTokens)
    .set({ revokedAt: now })
    .where(and(eq(accessTokens.jti, jti), isNull(accessTokens.revokedAt)))
}
