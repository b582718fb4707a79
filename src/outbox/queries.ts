import {
  and,
  asc,
  eq,
  gt,
  inArray,
  isNull,
  like,
  lte,
  notExists,
  or,
  sql,
  type SQL,
} from 'drizzle-orm'
import { alias } from 'drizzle-orm/sqlite-core'
import { outbox, type Reader, type Transaction } from '../db/index.ts'
import { farFutureMs, farLeaseMs } from './timing.ts'

export type OutboxRow = typeof outbox.$inferSelect

const other = alias(outbox, 'other')

/** A time so far ahead that the clock must have been set back counts as past. */
const isPast = (column: typeof outbox.nextAttemptAt, now: number): SQL | undefined =>
  or(lte(column, now), gt(column, now + farFutureMs))

const isFree = (now: number): SQL | undefined =>
  or(
    isNull(outbox.leaseUntil),
    lte(outbox.leaseUntil, now),
    gt(outbox.leaseUntil, now + farLeaseMs),
  )

/** Whether somebody is delivering it now. */
export const isLeased = ({ leaseUntil }: OutboxRow, now: number): boolean =>
  leaseUntil !== null && leaseUntil > now && leaseUntil <= now + farLeaseMs

export async function insertEntry(
  db: Transaction,
  entry: typeof outbox.$inferInsert,
): Promise<void> {
  await db.insert(outbox).values(entry)
}

/** Uses index outbox_peer. */
export const countOfPeer = (db: Reader, peer: string): Promise<number> =>
  db.$count(outbox, and(eq(outbox.peer, peer), eq(outbox.state, 'waiting')))

/** Hot: every poll. The peers for whom something may be due. Uses index outbox_due. */
export async function selectDuePeers(db: Reader, now: number): Promise<string[]> {
  const rows = await db
    .select({ peer: outbox.peer })
    .from(outbox)
    .where(and(eq(outbox.state, 'waiting'), isPast(outbox.nextAttemptAt, now)))
    .groupBy(outbox.peer)
    .limit(1000)
  return rows.map(({ peer }) => peer)
}

/** What is due and first of its subject, while nobody delivers anything of that subject. */
const isNext = (db: Reader, now: number): SQL | undefined =>
  and(
    eq(outbox.state, 'waiting'),
    isPast(outbox.nextAttemptAt, now),
    isFree(now),
    notExists(
      db
        .select({ seq: other.seq })
        .from(other)
        .where(
          and(
            eq(other.subject, outbox.subject),
            eq(other.state, 'waiting'),
            or(
              sql`${other.seq} < ${outbox.seq}`,
              and(gt(other.leaseUntil, now), lte(other.leaseUntil, now + farLeaseMs)),
            ),
          ),
        ),
    ),
  )

/** Hot: every delivery. Uses indexes outbox_peer and outbox_subject. */
export async function findNextOfPeer(
  db: Reader,
  peer: string,
  now: number,
): Promise<OutboxRow | undefined> {
  const rows = await db
    .select()
    .from(outbox)
    .where(and(eq(outbox.peer, peer), isNext(db, now)))
    .orderBy(asc(outbox.nextAttemptAt))
    .limit(1)
  return rows[0]
}

/** Uses index outbox_subject. */
export async function findNextOfSubject(
  db: Reader,
  subject: string,
  now: number,
): Promise<OutboxRow | undefined> {
  const rows = await db
    .select()
    .from(outbox)
    .where(and(eq(outbox.subject, subject), isNext(db, now)))
    .orderBy(asc(outbox.seq))
    .limit(1)
  return rows[0]
}

/** Uses index outbox_subject. */
export const selectOfSubject = (db: Reader, subject: string): Promise<OutboxRow[]> =>
  db.select().from(outbox).where(eq(outbox.subject, subject)).orderBy(asc(outbox.seq))

export const selectEntries = (db: Reader): Promise<OutboxRow[]> =>
  db.select().from(outbox).orderBy(asc(outbox.seq))

export async function findEntry(db: Reader, id: string): Promise<OutboxRow | undefined> {
  const rows = await db.select().from(outbox).where(eq(outbox.id, id))
  return rows[0]
}

/** Changes an entry; with `leaseOwner` only while it is that one's. Tells whether it did. */
export async function updateEntry(
  db: Transaction,
  id: string,
  change: Partial<OutboxRow>,
  leaseOwner?: string,
): Promise<boolean> {
  const mine = leaseOwner === undefined ? undefined : eq(outbox.leaseOwner, leaseOwner)
  const changed = await db
    .update(outbox)
    .set(change)
    .where(and(eq(outbox.id, id), mine))
    .returning({ id: outbox.id })
  return changed.length > 0
}

export async function deleteEntries(db: Transaction, ids: readonly string[]): Promise<void> {
  await db.delete(outbox).where(inArray(outbox.id, [...ids]))
}

/** Lets everybody take what a server that is gone was delivering. */
export async function endLeasesOf(db: Transaction, ownerPrefix: string): Promise<void> {
  await db
    .update(outbox)
    .set({ leaseOwner: null, leaseUntil: null })
    .where(like(outbox.leaseOwner, `${ownerPrefix}%`))
}
