import { eq } from 'drizzle-orm'
import { peers, type Reader, type Transaction } from '../db/index.ts'

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
