import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { AppError } from '../core/index.ts'
import { isBusy } from './failures.ts'

/**
 * Held by the one server of a data directory. It is a lock of the kernel's on a file of its own, so
 * that it ends with the process, however that ends.
 */
export interface ServeLock {
  release(): void
}

/**
 * Takes the lock of a data directory.
 *
 * @throws AppError `already_served`, naming the process that has it.
 */
export function takeServeLock(dataDir: string): ServeLock {
  // Beside the lock: reading that one would let go of it (POSIX locks end with any close).
  const pidFile = join(dataDir, 'serve.pid')
  // Longer than anybody needs to see whether it is held.
  const file = new Sqlite(join(dataDir, 'serve.lock'), { timeout: 200 })
  try {
    file.exec('BEGIN EXCLUSIVE')
    writeFileSync(pidFile, `${process.pid}\n`)
  } catch (error) {
    file.close()
    if (!isBusy(error)) throw error
    const text = `Another davmesh (process ${readPid(pidFile)}) serves ${dataDir}. Stop it first, or use another --data-dir.`
    throw new AppError('unavailable', 'already_served', text, { cause: error })
  }
  return {
    release() {
      rmSync(pidFile, { force: true })
      file.close()
    },
  }
}

function readPid(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return 'that has just started'
  }
}

/** Whether a server has this data directory. */
export function isServed(dataDir: string): boolean {
  try {
    takeServeLock(dataDir).release()
    return false
  } catch (error) {
    if (error instanceof AppError && error.code === 'already_served') return true
    throw error
  }
}
