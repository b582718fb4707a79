import { and, desc, eq, inArray, isNull, or } from 'drizzle-orm'
import {
  incomingShares,
  outgoingShares,
  refreshTokens,
  reshares,
  users,
  type Reader,
  type Transaction,
} from '../../db/index.ts'
import type { IncomingShareRow } from '../incoming/queries.ts'
import type { OutgoingShareRow } from '../queries.ts'

export type ReshareRow = typeof reshares.$inferSelect

/** With the share that is passed on, and the name of who passes it on. */
export interface AskedReshare {
  row: ReshareRow
  parent: IncomingShareRow
  user: string
}

/** Revoked ones too: who had it may still say what became of the share. Uses index refresh_tokens_share. */
export async function selectSecretHashes(db: Reader, shareId: string): Promise<string[]> {
  const rows = await db
    .select({ secretHash: refreshTokens.secretHash })
    .from(refreshTokens)
    .where(eq(refreshTokens.shareId, shareId))
  return rows.map(({ secretHash }) => secretHash)
}

/**
 * Whether there is, or was, a share with a server in either direction. Uses indexes
 * outgoing_shares_host and incoming_shares_sender_provider_user.
 */
export async function hasSharesWith(db: Reader, host: string): Promise<boolean> {
  const given = await db
    .select({ id: outgoingShares.id })
    .from(outgoingShares)
    .where(eq(outgoingShares.recipientHost, host))
    .limit(1)
  if (given.length > 0) return true
  const received = await db
    .select({ id: incomingShares.id })
    .from(incomingShares)
    .where(eq(incomingShares.senderHost, host))
    .limit(1)
  return received.length > 0
}

export async function updateOutgoing(
  db: Transaction,
  id: string,
  change: Partial<Omit<OutgoingShareRow, 'id'>>,
): Promise<void> {
  await db.update(outgoingShares).set(change).where(eq(outgoingShares.id, id))
}

const askedReshares = (db: Reader) =>
  db
    .select({ row: reshares, parent: incomingShares, user: users.username })
    .from(reshares)
    .innerJoin(incomingShares, eq(incomingShares.id, reshares.incomingShareId))
    .innerJoin(users, eq(users.id, incomingShares.userId))

export async function selectReshares(db: Reader, user?: string): Promise<AskedReshare[]> {
  const mine = user === undefined ? undefined : eq(users.username, user)
  return askedReshares(db).where(mine).orderBy(desc(reshares.createdAt), reshares.id)
}

export async function findReshare(db: Reader, id: string): Promise<AskedReshare | undefined> {
  const rows = await askedReshares(db).where(eq(reshares.id, id))
  return rows[0]
}

/** What an owner may mean by an id: ours, which Nextcloud says, or its own of what it granted. Reads all. */
export const selectPassedOn = (db: Reader, id: string): Promise<AskedReshare[]> =>
  askedReshares(db).where(or(eq(reshares.id, id), eq(reshares.providerId, id)))

/** The one row of a share and a recipient. Uses index reshares_incoming. */
export async function findReshareTo(
  db: Reader,
  incomingShareId: string,
  recipient: string,
): Promise<ReshareRow | undefined> {
  const rows = await db
    .select()
    .from(reshares)
    .where(and(eq(reshares.incomingShareId, incomingShareId), eq(reshares.recipient, recipient)))
  return rows[0]
}

export async function insertReshare(
  db: Transaction,
  row: typeof reshares.$inferInsert,
): Promise<void> {
  await db.insert(reshares).values(row)
}

export async function updateReshare(
  db: Transaction,
  id: string,
  change: Partial<Omit<ReshareRow, 'id'>>,
): Promise<void> {
  await db.update(reshares).set(change).where(eq(reshares.id, id))
}

/** Also of those that have ended. Uses index reshares_incoming. */
export async function selectReshareIds(
  db: Reader,
  incomingIds: readonly string[],
): Promise<string[]> {
  const rows = await db
    .select({ id: reshares.id })
    .from(reshares)
    .where(inArray(reshares.incomingShareId, [...incomingIds]))
  return rows.map(({ id }) => id)
}

/** Uses index reshares_incoming. */
export async function endLiveReshares(
  db: Transaction,
  incomingIds: readonly string[],
  now: number,
): Promise<void> {
  await db
    .update(reshares)
    .set({ state: 'undone', endedAt: now, sealedToken: null, problem: null })
    .where(and(inArray(reshares.incomingShareId, [...incomingIds]), isNull(reshares.endedAt)))
}
