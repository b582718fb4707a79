import { eq, inArray } from 'drizzle-orm'
import { legacyKeys, signingKeys, type Reader, type Transaction } from '../db/index.ts'

export type SigningKeyRow = typeof signingKeys.$inferSelect
export type SigningKeyState = SigningKeyRow['state']
/** What anybody may know of a signing key; instants in epoch milliseconds. */
export type SigningKey = Omit<SigningKeyRow, 'sealedPrivateJwk'>

export const publicPart = ({ sealedPrivateJwk, ...key }: SigningKeyRow): SigningKey => key

export type LegacyKeyRow = typeof legacyKeys.$inferSelect

export async function selectKeys(db: Reader): Promise<SigningKeyRow[]> {
  return db.select().from(signingKeys).orderBy(signingKeys.createdAt, signingKeys.kid)
}

/** Uses index signing_keys_state. */
export async function selectKeysInStates(
  db: Reader,
  states: SigningKeyState[],
): Promise<SigningKeyRow[]> {
  return db
    .select()
    .from(signingKeys)
    .where(inArray(signingKeys.state, states))
    .orderBy(signingKeys.createdAt, signingKeys.kid)
}

export async function findKeyRow(db: Reader, kid: string): Promise<SigningKeyRow | undefined> {
  const rows = await db.select().from(signingKeys).where(eq(signingKeys.kid, kid))
  return rows[0]
}

/** Hot: every signature. Uses index signing_keys_state. */
export async function findActiveKid(db: Reader): Promise<string | undefined> {
  const rows = await db
    .select({ kid: signingKeys.kid })
    .from(signingKeys)
    .where(eq(signingKeys.state, 'active'))
  return rows[0]?.kid
}

export async function insertKey(
  db: Transaction,
  row: typeof signingKeys.$inferInsert,
): Promise<void> {
  await db.insert(signingKeys).values(row)
}

export async function updateKey(
  db: Transaction,
  kid: string,
  change: Partial<SigningKeyRow>,
): Promise<void> {
  await db.update(signingKeys).set(change).where(eq(signingKeys.kid, kid))
}

/** Whether anything was ever sealed: signing keys come first. */
export async function hasSigningKeys(db: Reader): Promise<boolean> {
  return (await db.$count(signingKeys)) > 0
}

export async function findLegacyKey(db: Reader, kid: string): Promise<LegacyKeyRow | undefined> {
  const rows = await db.select().from(legacyKeys).where(eq(legacyKeys.kid, kid))
  return rows[0]
}

export async function insertLegacyKey(db: Transaction, row: LegacyKeyRow): Promise<void> {
  await db.insert(legacyKeys).values(row)
}
