import { AppError } from '../core/index.ts'

/** By its code alone: the driver makes one error class for all realms of a process. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  return 'code' in error ? String(error.code) : ''
}

export const isBusy = (error: unknown): boolean => codeOf(error).startsWith('SQLITE_BUSY')

/** A disk without room says the second where SQLite maps its index of the log into memory. */
const isFull = (error: unknown): boolean =>
  ['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE'].includes(codeOf(error))

/** A failed write in our words, where it is an expected failure. */
export function toWriteError(error: unknown): unknown {
  // drizzle wraps what the driver throws.
  const cause = error instanceof Error ? error.cause : undefined
  if (!isFull(error) && !isFull(cause)) return error
  return new AppError('no_space', 'database_full', 'There is no space left.', { cause: error })
}

/** What the file itself is to blame for. */
const isDamage = (error: unknown): boolean =>
  /^SQLITE_(CORRUPT|NOTADB|READONLY|CANTOPEN|IOERR)/.test(codeOf(error))

/** A failure to open or bring up to date, in our words where the file is to blame. */
export function toOpenError(error: unknown, path: string): unknown {
  const cause = error instanceof Error && isDamage(error.cause) ? error.cause : error
  if (!isDamage(cause)) return error
  const text = `The database ${path} cannot be opened: ${(cause as Error).message}. Restore it from the backup.`
  return new AppError('unavailable', 'database_damaged', text, { cause: error })
}
