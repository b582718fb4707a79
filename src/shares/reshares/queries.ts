import { eq } from 'drizzle-orm'
import {
  incomingShares,
  outgoingShares,
  refreshTokens,
  type Reader,
  type Transaction,
} from '../../db/index.ts'
import type { OutgoingShareRow } from '../queries.ts'

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
