import { randomUUID } from 'node:crypto'
import { andThen, type Awaitable, type Clock } from '../../core/index.ts'
import {
  inTransaction,
  remember,
  type Database,
  type Reader,
  type Transaction,
} from '../../db/index.ts'
import { fromText, toText } from '../path-text.ts'
import type { ResourcePlace } from '../place.ts'
import { conflicts, longestLockMs, type Lock, type LockRequest } from './lock.ts'
import {
  countAllLocks,
  countLocks,
  deleteExpired,
  deleteLock,
  insertLock,
  prepareLastExpiry,
  selectLocksAbove,
  selectLocksBelow,
  shortenTooLong,
  updateExpiry,
  type LockRow,
} from './queries.ts'

/** More than any client holds; few enough that all locks of a tree fit in one answer. */
export interface LockLimits {
  readonly perHolder: number
  readonly perTree: number
  /** Of all trees. */
  readonly locks: number
}

export type LockOutcome =
  | { readonly status: 'granted'; readonly lock: Lock }
  | { readonly status: 'conflict'; readonly locks: readonly Lock[] }
  | { readonly status: 'too_many' }

/** Of how many the last lock's end is remembered. */
const maxTrees = 10_000

const toLock = ({ path, ...row }: LockRow): Lock => ({ ...row, path: fromText(path) })

export function createLocks(db: Database, clock: Clock, limits: LockLimits) {
  const lastExpiry = prepareLastExpiry(db)
  const findLastExpiry = remember(db, maxTrees, async (treeId) => {
    const [row] = await lastExpiry.execute({ treeId })
    return row?.expiresAt ?? 0
  })

  async function select(reader: Reader, at: ResourcePlace, withBelow: boolean): Promise<Lock[]> {
    const path = toText(at.path)
    const now = clock.now()
    const above = await selectLocksAbove(reader, at.treeId, path, now)
    const below = withBelow ? await selectLocksBelow(reader, at.treeId, path, now) : []
    return [...above, ...below].map((row) =>
      toLock({ ...row, expiresAt: Math.min(row.expiresAt, now + longestLockMs) }),
    )
  }

  async function isFull(tx: Transaction, { treeId, holder }: LockRequest): Promise<boolean> {
    const counts = await countLocks(tx, treeId)
    const total = counts.reduce((sum, { count }) => sum + count, 0)
    const own = counts.find((one) => one.holder === holder.key)?.count ?? 0
    if (total >= limits.perTree || own >= limits.perHolder) return true
    return (await countAllLocks(tx, clock.now())) >= limits.locks
  }

  return {
    /** Whether a tree has any lock at all: remembered until something is committed. */
    hasLocks: (treeId: string): Awaitable<boolean> =>
      andThen(findLastExpiry(treeId), (expiresAt) => expiresAt > clock.now()),

    /** The live locks of a resource and of what is above it; `around`: of what is below as well. */
    findLocks: (at: ResourcePlace, reach: 'above' | 'around'): Promise<readonly Lock[]> =>
      select(db, at, reach === 'around'),

    /** RFC 4918 §9.10: one transaction decides, so of many that want the same one gets it. */
    addLock: (wanted: LockRequest): Promise<LockOutcome> =>
      inTransaction(db, async (tx) => {
        const now = clock.now()
        await deleteExpired(tx, wanted.treeId, now)
        await shortenTooLong(tx, wanted.treeId, now + longestLockMs)
        const near = await select(tx, wanted, wanted.depth === 'infinity')
        const others = near.filter((lock) => conflicts(lock, wanted))
        if (others.length > 0) return { status: 'conflict', locks: others }
        if (await isFull(tx, wanted)) return { status: 'too_many' }
        const { treeId, scope, depth, holder, owner, seconds } = wanted
        const row: LockRow = {
          token: `urn:uuid:${randomUUID()}`,
          treeId,
          path: toText(wanted.path),
          scope,
          depth,
          holder: holder.key,
          shareId: holder.shareId ?? null,
          owner,
          createdAt: now,
          expiresAt: now + seconds * 1000,
        }
        await insertLock(tx, row)
        return { status: 'granted', lock: toLock(row) }
      }),

    async refreshLock(lock: Lock, seconds: number): Promise<void> {
      const expiresAt = clock.now() + seconds * 1000
      await inTransaction(db, (tx) => updateExpiry(tx, lock.token, expiresAt))
    },

    async removeLock(lock: Lock): Promise<void> {
      await inTransaction(db, (tx) => deleteLock(tx, lock.token))
    },
  }
}
