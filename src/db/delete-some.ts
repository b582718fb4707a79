import { inArray, type SQL } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { Transaction } from './open.ts'

/** Deletes at most `limit` of the rows that meet a condition, and returns how many those were. */
export async function deleteSome(
  db: Transaction,
  key: SQLiteColumn,
  which: SQL,
  limit: number,
): Promise<number> {
  const some = db.select({ key }).from(key.table).where(which).limit(limit)
  const gone = await db.delete(key.table).where(inArray(key, some)).returning({ key })
  return gone.length
}
