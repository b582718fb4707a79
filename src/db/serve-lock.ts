import Sqlite from 'better-sqlite3'
import { isBusy } from './failures.ts'

/**
 * Held by the one server of a data directory. It is a lock of the kernel's on a file of its own, so
 * that it ends with the process, however that ends.
 */
export interface ServeLock {
  release(): void
}

/** Takes the lock, or returns `undefined` when another process has it. */
export function takeServeLock(path: string): ServeLock | undefined {
  // Longer than anybody needs to see whether it is held.
  const file = new Sqlite(path, { timeout: 200 })
  try {
    file.exec('BEGIN EXCLUSIVE')
    return { release: () => file.close() }
  } catch (error) {
    file.close()
    if (isBusy(error)) return undefined
    throw error
  }
}

/** Whether a server has the data directory of this lock. */
export function isServed(path: string): boolean {
  const lock = takeServeLock(path)
  lock?.release()
  return lock === undefined
}
