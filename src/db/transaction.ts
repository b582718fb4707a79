import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../core/index.ts'
import { isBusy, toWriteError } from './failures.ts'
import type { Database, Transaction, WaitingWork } from './open.ts'

/** How long a writer of another process may hold the database before we say "try again". */
const patienceMs = 2000

/** More than this in one commit would keep the first of them waiting too long. */
const maxGroup = 64

/**
 * Runs `work` in one immediate transaction; the only way to write. Works that wait at the same time
 * share one commit, and so one flush to disk; each is undone alone when it fails, and none is told
 * before all of them are durable. Another process's transaction is waited for without blocking the
 * event loop.
 *
 * Await nothing but queries inside `work`: sign, hash and call the network before.
 *
 * @throws AppError `database_busy` (unavailable, with a retry time) after two seconds of waiting;
 *   `database_full`.
 */
export function inTransaction<T>(
  db: Database,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    db.writing.waiting.push({
      attempt: async () => {
        const result = await work(db.writing.transaction)
        return () => resolve(result)
      },
      reject,
    })
    if (!db.writing.isRunning) void commitAll(db)
  })
}

async function commitAll(db: Database): Promise<void> {
  const { writing } = db
  writing.isRunning = true
  while (writing.waiting.length > 0) {
    // What arrives in this turn of the event loop joins.
    await nextTurn()
    try {
      await begin(db)
    } catch (error) {
      // Who came meanwhile would wait as long again, one group after the other.
      const reason = toWriteError(error)
      for (const { reject } of writing.waiting.splice(0)) reject(reason)
      continue
    }
    await commitGroup(db, writing.waiting.splice(0, maxGroup))
  }
  writing.isRunning = false
}

async function commitGroup(db: Database, group: readonly WaitingWork[]): Promise<void> {
  const { writer } = db.raw
  try {
    const outcomes: (() => void)[] = []
    for (const one of group) outcomes.push(await attempt(db, one))
    writer.exec('COMMIT')
    db.writing.committed()
    for (const tell of outcomes) tell()
  } catch (error) {
    if (writer.open && writer.inTransaction) writer.exec('ROLLBACK')
    const reason = toWriteError(error)
    for (const { reject } of group) reject(reason)
  }
}

/** A savepoint of its own, so that the failure of one work is nobody else's. */
async function attempt({ raw: { writer } }: Database, one: WaitingWork): Promise<() => void> {
  writer.exec('SAVEPOINT work')
  try {
    const tell = await one.attempt()
    writer.exec('RELEASE work')
    return tell
  } catch (error) {
    // A full disk may have undone the whole transaction already, and so everybody's work.
    if (!writer.inTransaction) throw error
    writer.exec('ROLLBACK TO work; RELEASE work')
    return () => one.reject(toWriteError(error))
  }
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
      await sleep(5 + Math.random() * 25)
    }
  }
}
