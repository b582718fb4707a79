import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../core/index.ts'
import { isBusy } from './busy.ts'
import type { Database, Transaction } from './open.ts'

/** How long a writer of another process may hold the database before we say "try again". */
const patienceMs = 2000

/**
 * Runs `work` in one immediate transaction; the only way to write. Transactions of this process
 * queue; another process's is waited for without blocking the event loop.
 *
 * Await nothing but queries inside `work`: sign, hash and call the network before.
 *
 * @throws AppError `database_busy` (unavailable, with a retry time) after two seconds of waiting.
 */
export async function inTransaction<T>(
  db: Database,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return db.writing.turns(async () => {
    await begin(db)
    try {
      const result = await work(db.writing.transaction)
      db.raw.writer.exec('COMMIT')
      return result
    } catch (error) {
      if (db.raw.writer.inTransaction) db.raw.writer.exec('ROLLBACK')
      throw error
    }
  })
}

async function begin(db: Database): Promise<void> {
  const giveUpAt = performance.now() + patienceMs
  for (;;) {
    try {
      db.raw.writer.exec('BEGIN IMMEDIATE')
      return
    } catch (cause) {
      if (!isBusy(cause)) throw cause
      if (performance.now() > giveUpAt) {
        throw new AppError('unavailable', 'database_busy', 'The server is busy; try again.', {
          cause,
          retryAfterSeconds: 1,
        })
      }
      await sleep(10 + Math.random() * 40)
    }
  }
}
