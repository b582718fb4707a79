import { lstatSync, type Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { errnoOf } from '../errors.ts'
import type { Entry } from '../file-tree.ts'

/**
 * Whether callers may know of it: plain files and directories only. A file with several names that
 * another user owns may be a window to somewhere else, so it is not served.
 */
export function isServed(stats: Stats): boolean {
  if (stats.isDirectory()) return true
  if (!stats.isFile()) return false
  return stats.nlink <= 1 || stats.uid === process.geteuid?.()
}

/**
 * An entry, and enough of what it was made from to tell whether it still holds. Times are doubles,
 * which tell a quarter of a microsecond apart; as big integers they cost a quarter of the look.
 */
export class LocalEntry implements Entry {
  readonly name: string
  readonly kind: Entry['kind']
  readonly size: number
  readonly modifiedAt: number
  readonly createdAt: number
  readonly #ino: number
  readonly #mtimeMs: number
  readonly #birthtimeMs: number
  #etag: string | undefined

  constructor(name: string, stats: Stats) {
    const isFile = stats.isFile()
    this.name = name
    this.kind = isFile ? 'file' : 'directory'
    this.size = isFile ? stats.size : 0
    this.modifiedAt = Math.floor(stats.mtimeMs)
    this.createdAt = Math.floor(stats.birthtimeMs)
    this.#ino = stats.ino
    this.#mtimeMs = stats.mtimeMs
    this.#birthtimeMs = stats.birthtimeMs
  }

  /** Made when first asked for: many listings never do. */
  get etag(): string {
    return (this.#etag ??= `"${this.#ino}-${this.size}-${this.#mtimeMs}"`)
  }

  /** The same under another name. */
  named(name: string): Entry {
    if (name === this.name) return this
    const { kind, size, modifiedAt, createdAt, etag } = this
    return { name, kind, size, modifiedAt, createdAt, etag }
  }

  /** Whether an entry made from `stats` would say the same in everything. */
  describes(stats: Stats): boolean {
    const isFile = stats.isFile()
    return (
      this.#mtimeMs === stats.mtimeMs &&
      this.#ino === stats.ino &&
      this.size === (isFile ? stats.size : 0) &&
      this.#birthtimeMs === stats.birthtimeMs &&
      (this.kind === 'file') === isFile
    )
  }
}

export const toEntry = (name: string, stats: Stats): LocalEntry => new LocalEntry(name, stats)

/** The same, where callers may know of it. */
export const toServed = (name: string, stats: Stats | undefined): LocalEntry | undefined =>
  stats && isServed(stats) ? toEntry(name, stats) : undefined

const absences: readonly string[] = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']

/** Whether looking failed because there is nothing. */
export const isAbsence = (error: unknown): boolean => absences.includes(errnoOf(error))

/** Whether nothing has happened to a settled file; in doubles, which a change moves as well. */
export const isSameVersion = (one: Stats, other: Stats): boolean =>
  one.ctimeMs === other.ctimeMs &&
  one.mtimeMs === other.mtimeMs &&
  one.ino === other.ino &&
  one.size === other.size &&
  one.dev === other.dev

/** What is at a path, whatever it is, or `undefined`. */
export async function lookAt(absolute: string): Promise<Stats | undefined> {
  try {
    return await lstat(absolute)
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}

/** The same without leaving the thread: only where looking is quick. */
export function lookAtNow(absolute: string): Stats | undefined {
  try {
    return lstatSync(absolute, { throwIfNoEntry: false })
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}
