import { and, asc, eq, gt, inArray, isNull, or } from 'drizzle-orm'
import {
  incomingShares,
  outbox,
  outgoingShares,
  peers,
  type Reader,
  type Transaction,
} from '../db/index.ts'

export type PeerRow = typeof peers.$inferSelect

export async function findPeer(db: Reader, host: string): Promise<PeerRow | undefined> {
  const rows = await db.select().from(peers).where(eq(peers.host, host))
  return rows[0]
}

/** Inserts the peer or changes what is named. */
export async function upsertPeer(
  db: Transaction,
  host: string,
  change: Partial<Omit<PeerRow, 'host'>>,
): Promise<void> {
  await db
    .insert(peers)
    .values({ host, ...change })
    .onConflictDoUpdate({ target: peers.host, set: change })
}

/** A row for the peer, where there is none yet. */
export async function recordPeer(db: Transaction, host: string): Promise<void> {
  await db.insert(peers).values({ host }).onConflictDoNothing()
}

export const selectPeers = async (db: Reader): Promise<PeerRow[]> =>
  db.select().from(peers).orderBy(asc(peers.host))

export async function deletePeer(db: Transaction, host: string): Promise<void> {
  await db.delete(peers).where(eq(peers.host, host))
}

/** Living shares with a peer, either way, and messages that wait for it. */
export async function countTies(db: Reader, host: string, now: number): Promise<number> {
  const given = await db.$count(
    outgoingShares,
    and(
      eq(outgoingShares.recipientHost, host),
      inArray(outgoingShares.state, ['pending', 'sent', 'accepted']),
      or(isNull(outgoingShares.expiresAt), gt(outgoingShares.expiresAt, now)),
    ),
  )
  const received = await db.$count(
    incomingShares,
    and(
      eq(incomingShares.senderHost, host),
      // What was revoked may come back; its user has it until then.
      inArray(incomingShares.state, ['pending', 'accepted', 'revoked']),
      or(isNull(incomingShares.expiresAt), gt(incomingShares.expiresAt, now)),
    ),
  )
  const owed = await db.$count(outbox, and(eq(outbox.peer, host), eq(outbox.state, 'waiting')))
  return given + received + owed
}
