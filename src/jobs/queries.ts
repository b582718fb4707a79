import { and, eq } from 'drizzle-orm'
import { jobLeases, type Reader, type Transaction } from '../db/index.ts'

export type JobRow = typeof jobLeases.$inferSelect

/** One row for each chore there ever was: a dozen. */
export const selectJobs = (db: Reader): Promise<JobRow[]> => db.select().from(jobLeases)

export async function findJob(db: Reader, name: string): Promise<JobRow | undefined> {
  const rows = await db.select().from(jobLeases).where(eq(jobLeases.name, name))
  return rows[0]
}

/** Inserts the job or changes what is named. */
export async function upsertJob(
  db: Transaction,
  row: typeof jobLeases.$inferInsert,
): Promise<void> {
  const { name, ...change } = row
  await db
    .insert(jobLeases)
    .values(row)
    .onConflictDoUpdate({ target: jobLeases.name, set: { ...change, name } })
}

/** Changes a job while it is that owner's. Tells whether it was. */
export async function updateOwned(
  db: Transaction,
  name: string,
  owner: string,
  change: Partial<JobRow>,
): Promise<boolean> {
  const changed = await db
    .update(jobLeases)
    .set(change)
    .where(and(eq(jobLeases.name, name), eq(jobLeases.owner, owner)))
    .returning({ name: jobLeases.name })
  return changed.length > 0
}
