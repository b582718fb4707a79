import { eq } from 'drizzle-orm'
import { resourceChanges, type Reader, type Transaction } from '../../db/index.ts'

export type ChangeRow = typeof resourceChanges.$inferSelect

/** What a crash interrupted, of one run or of all; hardly ever more than a row. */
export const selectChanges = (db: Reader, runId?: string): Promise<ChangeRow[]> =>
  db
    .select()
    .from(resourceChanges)
    .where(runId === undefined ? undefined : eq(resourceChanges.runId, runId))
    .orderBy(resourceChanges.createdAt)

export async function insertChange(db: Transaction, row: ChangeRow): Promise<void> {
  await db.insert(resourceChanges).values(row)
}

export async function deleteChange(db: Transaction, id: string): Promise<void> {
  await db.delete(resourceChanges).where(eq(resourceChanges.id, id))
}
