import { eq } from 'drizzle-orm'
import type { Database } from './open.ts'
import { users } from './schema/index.ts'
import { inTransaction } from './transaction.ts'

/**
 * Reads, and writes without changing anything.
 *
 * @throws whatever keeps it from either.
 */
export async function checkWritable(db: Database): Promise<void> {
  await db.$count(users)
  await inTransaction(db, async (tx) => {
    await tx.update(users).set({ disabledAt: null }).where(eq(users.id, ''))
  })
}
