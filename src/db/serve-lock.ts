import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  const path = lockFileOf(dataDir)
  createLockFile(path)
  // Longer than anybody needs to see whether it is held.
  const file = new Sqlite(path, { timeout: 200 })
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

/** Whether a server has this data directory. It changes nothing there, and needs no right to. */
export function isServed(dataDir: string): boolean {
  const path = lockFileOf(dataDir)
  if (!existsSync(path)) return false
  const file = new Sqlite(path, { readonly: true, timeout: 0 })
  try {
    // A lock that others can share, for an instant: whoever starts waits longer.
    file.prepare('SELECT count(*) FROM sqlite_master').get()
    return false
  } catch (error) {
    if (isBusy(error)) return true
    throw error
  } finally {
    file.close()
  }
}

const lockFileOf = (dataDir: string): string => join(dataDir, 'serve.lock')

/** For us alone: whoever can read it can keep a server from starting. */
function createLockFile(path: string): void {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 })
  } catch (error) {
    // Opening one that is there would let go of a lock of this process.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
