import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { AppError, newId } from '../core/index.ts'
import type { Database } from './open.ts'

/** So many pages at a time; what is told of progress comes between. */
const pagesAtOnce = 1000

/**
 * Copies the database as it is at this instant, while others write, to a file that only we can
 * read. Under its name it is whole, checked, and on the disk.
 *
 * @param onProgress told the share of pages copied, 0 to 1.
 * @throws AppError `backup_exists`, `backup_failed`.
 */
export async function backupDatabase(
  db: Database,
  file: string,
  onProgress: (done: number) => void = () => undefined,
): Promise<void> {
  if (existsSync(file)) throw existsAlready(file)
  const partial = `${file}.${newId()}.partial`
  let isMade = false
  // Its reads begin now and see nothing that is committed later: without that, a copy would begin
  // anew with every commit of the server's.
  const source = new Sqlite(db.path, { readonly: true })
  try {
    source.exec('BEGIN')
    source.prepare('SELECT count(*) FROM sqlite_master').get()
    claim(partial)
    isMade = true
    await source.backup(partial, {
      progress: ({ totalPages, remainingPages }) => {
        onProgress(totalPages === 0 ? 0 : 1 - remainingPages / totalPages)
        return pagesAtOnce
      },
    })
    checkCopy(partial)
    sync(partial)
    giveName(partial, file)
    sync(dirname(file))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw existsAlready(file)
    if (cause instanceof AppError) throw cause
    const message = `The backup ${file} could not be made: ${(cause as Error).message}.`
    throw new AppError('unavailable', 'backup_failed', message, { cause })
  } finally {
    if (isMade) rmSync(partial, { force: true })
    source.close()
  }
}

const existsAlready = (file: string): AppError =>
  new AppError('conflict', 'backup_exists', `${file} exists already; name another file.`)

/** Makes an empty file that only we can read. @throws EEXIST */
const claim = (file: string): void => writeFileSync(file, '', { mode: 0o600, flag: 'wx' })

/** How file systems without hard links, and kernels that restrict them, say so. */
const noLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

/** Never replaces anything: a link fails where something is, and so does claiming the name. */
function giveName(partial: string, file: string): void {
  try {
    linkSync(partial, file)
  } catch (error) {
    if (!noLinks.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    claim(file)
    try {
      renameSync(partial, file)
    } catch (failure) {
      rmSync(file, { force: true })
      throw failure
    }
  }
}

/** Makes one file of it, which needs nothing beside it, and looks at every page. */
function checkCopy(path: string): void {
  const copy = new Sqlite(path)
  try {
    copy.pragma('journal_mode = DELETE')
    const verdict = copy.pragma('integrity_check', { simple: true })
    if (verdict === 'ok') return
    const message = `The database is damaged, and so is its copy: ${String(verdict)}.`
    throw new AppError('unavailable', 'backup_failed', message)
  } finally {
    copy.close()
    chmodSync(path, 0o600)
  }
}

function sync(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
