import { and, eq, gt, gte, inArray, isNull, lt, lte, max, or, sql, type SQL } from 'drizzle-orm'
import {
  deleteSome,
  locks,
  outgoingShares,
  type Database,
  type Reader,
  type Transaction,
} from '../../db/index.ts'
import { endOf, upwards } from '../path-text.ts'

export type LockRow = typeof locks.$inferSelect

/** A lock lives until it expires, and no longer than the share it was taken through. */
const isLive = (now: number | SQL): SQL | undefined =>
  and(
    gt(locks.expiresAt, now),
    or(
      isNull(locks.shareId),
      and(
        isNull(outgoingShares.revokedAt),
        or(isNull(outgoingShares.expiresAt), gt(outgoingShares.expiresAt, now)),
      ),
    ),
  )

/** When the last lock of a tree ends. Hot: every write and every listing. Uses index locks_tree_expiry. */
export const prepareLastExpiry = (db: Database) =>
  db
    .select({ expiresAt: max(locks.expiresAt) })
    .from(locks)
    .where(eq(locks.treeId, sql.placeholder('treeId')))
    .prepare()

const liveLocks = async (db: Reader, where: SQL | undefined, now: number): Promise<LockRow[]> => {
  const rows = await db
    .select({ lock: locks })
    .from(locks)
    .leftJoin(outgoingShares, eq(outgoingShares.id, locks.shareId))
    .where(and(where, isLive(now)))
    .orderBy(locks.createdAt, locks.token)
  return rows.map(({ lock }) => lock)
}

/** Locks of a path and of the directories above it. Uses index locks_tree_path. */
export const selectLocksAbove = (
  db: Reader,
  treeId: string,
  path: string,
  now: number,
): Promise<LockRow[]> =>
  liveLocks(db, and(eq(locks.treeId, treeId), inArray(locks.path, upwards(path))), now)

/** Locks of what is below a path. Uses index locks_tree_path. */
export const selectLocksBelow = (
  db: Reader,
  treeId: string,
  path: string,
  now: number,
): Promise<LockRow[]> =>
  liveLocks(
    db,
    and(eq(locks.treeId, treeId), gt(locks.path, path), lt(locks.path, endOf(path))),
    now,
  )

/** Where something is locked in a tree. Uses index locks_tree_expiry. */
export const selectLockedPaths = (
  db: Reader,
  treeId: string,
  now: number,
): Promise<{ path: string }[]> =>
  db
    .select({ path: locks.path })
    .from(locks)
    .where(and(eq(locks.treeId, treeId), gt(locks.expiresAt, now)))
    .groupBy(locks.path)

/** Every lock of every tree. */
export const selectAllLocks = (db: Reader): Promise<LockRow[]> => db.select().from(locks)

/** Uses index locks_expiry. */
export const countAllLocks = (db: Reader, now: number): Promise<number> =>
  db.$count(locks, gt(locks.expiresAt, now))

export const countLocks = (
  db: Reader,
  treeId: string,
): Promise<{ holder: string; count: number }[]> =>
  db
    .select({ holder: locks.holder, count: sql<number>`count(*)` })
    .from(locks)
    .where(eq(locks.treeId, treeId))
    .groupBy(locks.holder)

export async function insertLock(db: Transaction, row: LockRow): Promise<void> {
  await db.insert(locks).values(row)
}

export async function updateExpiry(
  db: Transaction,
  token: string,
  expiresAt: number,
): Promise<void> {
  await db.update(locks).set({ expiresAt }).where(eq(locks.token, token))
}

export async function deleteLock(db: Transaction, token: string): Promise<void> {
  await db.delete(locks).where(eq(locks.token, token))
}

/** Locks of whatever tree that have expired, at most `limit`. Uses index locks_expiry. */
export const deleteExpiredAnywhere = (
  db: Transaction,
  now: number,
  limit: number,
): Promise<number> => deleteSome(db, locks.token, lte(locks.expiresAt, now), limit)

/** Uses index locks_tree_expiry. */
export async function deleteExpired(db: Transaction, treeId: string, now: number): Promise<void> {
  await db.delete(locks).where(and(eq(locks.treeId, treeId), lte(locks.expiresAt, now)))
}

/** A lock that ends later than any can means that the clock was set back; it ends in time. */
export async function shortenTooLong(
  db: Transaction,
  treeId: string,
  latest: number,
): Promise<void> {
  const isTooLong = and(eq(locks.treeId, treeId), gt(locks.expiresAt, latest))
  await db.update(locks).set({ expiresAt: latest }).where(isTooLong)
}

/**
 * The locks of everything below a path, and of the path itself unless it is to be kept. Uses index
 * locks_tree_path.
 */
export async function deleteLocksWithin(
  db: Transaction,
  treeId: string,
  path: string,
  keepOwn = false,
): Promise<void> {
  const begin = keepOwn ? gt(locks.path, path) : gte(locks.path, path)
  await db.delete(locks).where(and(eq(locks.treeId, treeId), begin, lt(locks.path, endOf(path))))
}
