import { eq } from 'drizzle-orm'
import { resourceChanges, type Reader, type Transaction } from '../../db/index.ts'

export type ChangeRow = typeof resourceChanges.$inferSelect

/** What a crash interrupted; hardly ever more than a row. */
export const selectChanges = (db: Reader): Promise<ChangeRow[]> =>
  db.select().from(resourceChanges).orderBy(resourceChanges.createdAt)

export async function insertChange(db: Transaction, row: ChangeRow): Promise<void> {
  await db.insert(resourceChanges).values(row)
}

export async function deleteChange(db: Transaction, id: string): Promise<void> {
  await db.delete(resourceChanges).where(eq(resourceChanges.id, id))
}
