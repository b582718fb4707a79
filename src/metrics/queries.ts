import { and, count, eq, gt, isNull, min } from 'drizzle-orm'
import {
  accessTokens,
  incomingShares,
  jobLeases,
  locks,
  outbox,
  outgoingShares,
  peers,
  users,
  type Reader,
} from '../db/index.ts'

export type Counted = readonly { readonly state: string; readonly entries: number }[]

/** Uses index outbox_due. */
export const countOutbox = async (db: Reader): Promise<Counted> =>
  db.select({ state: outbox.state, entries: count() }).from(outbox).groupBy(outbox.state)

/** When the oldest message was owed that has not arrived; epoch milliseconds. */
export async function findOldestOwed(db: Reader): Promise<number | undefined> {
  const [row] = await db
    .select({ at: min(outbox.createdAt) })
    .from(outbox)
    .where(eq(outbox.state, 'waiting'))
  return row?.at ?? undefined
}

export const countOutgoing = async (db: Reader): Promise<Counted> =>
  db
    .select({ state: outgoingShares.state, entries: count() })
    .from(outgoingShares)
    .groupBy(outgoingShares.state)

export const countIncoming = async (db: Reader): Promise<Counted> =>
  db
    .select({ state: incomingShares.state, entries: count() })
    .from(incomingShares)
    .groupBy(incomingShares.state)

/** Uses index access_tokens_expiry. */
export const countLiveTokens = (db: Reader, now: number): Promise<number> =>
  db.$count(accessTokens, and(gt(accessTokens.expiresAt, now), isNull(accessTokens.revokedAt)))

/** Uses index locks_expiry. */
export const countLocks = (db: Reader, now: number): Promise<number> =>
  db.$count(locks, gt(locks.expiresAt, now))

/** Peers that are left alone for now. */
export const countResting = (db: Reader, now: number): Promise<number> =>
  db.$count(peers, gt(peers.restUntil, now))

export const countPeers = (db: Reader): Promise<number> => db.$count(peers)

export const countUsers = (db: Reader): Promise<number> =>
  db.$count(users, isNull(users.disabledAt))

/** How each chore ended the last time; one row for each chore. */
export const selectChores = (db: Reader) =>
  db
    .select({
      job: jobLeases.name,
      endedAt: jobLeases.lastEndedAt,
      error: jobLeases.lastError,
    })
    .from(jobLeases)
