import { lstatSync, type BigIntStats, type Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { errnoOf } from '../errors.ts'
import type { Entry } from '../file-tree.ts'

/**
 * Whether callers may know of it: plain files and directories only. A file with several names that
 * another user owns may be a window to somewhere else, so it is not served.
 */
export function isServed(stats: BigIntStats | Stats): boolean {
  if (stats.isDirectory()) return true
  if (!stats.isFile()) return false
  return Number(stats.nlink) <= 1 || Number(stats.uid) === process.geteuid?.()
}

/** An entry, and enough of what it was made from to tell whether it still holds. */
export class LocalEntry implements Entry {
  readonly name: string
  readonly kind: Entry['kind']
  readonly size: number
  readonly modifiedAt: number
  readonly createdAt: number
  readonly #ino: bigint
  readonly #size: bigint
  readonly #mtimeNs: bigint
  readonly #birthtimeNs: bigint
  #etag: string | undefined

  constructor(name: string, stats: BigIntStats) {
    const isFile = stats.isFile()
    this.name = name
    this.kind = isFile ? 'file' : 'directory'
    this.size = isFile ? Number(stats.size) : 0
    this.modifiedAt = Number(stats.mtimeMs)
    this.createdAt = Number(stats.birthtimeMs)
    this.#ino = stats.ino
    this.#size = stats.size
    this.#mtimeNs = stats.mtimeNs
    this.#birthtimeNs = stats.birthtimeNs
  }

  /** Made when first asked for: many listings never do, and three big numbers are dear to write. */
  get etag(): string {
    return (this.#etag ??= `"${this.#ino.toString(36)}-${this.#size.toString(36)}-${this.#mtimeNs.toString(36)}"`)
  }

  /** The same under another name. */
  named(name: string): Entry {
    if (name === this.name) return this
    const { kind, size, modifiedAt, createdAt, etag } = this
    return { name, kind, size, modifiedAt, createdAt, etag }
  }

  /** Whether an entry made from `stats` would say the same in everything. */
  describes(stats: BigIntStats): boolean {
    return (
      this.#mtimeNs === stats.mtimeNs &&
      this.#ino === stats.ino &&
      this.#size === stats.size &&
      this.#birthtimeNs === stats.birthtimeNs &&
      (this.kind === 'file') === stats.isFile()
    )
  }
}

export const toEntry = (name: string, stats: BigIntStats): LocalEntry => new LocalEntry(name, stats)

const absences: readonly string[] = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']

/** Whether looking failed because there is nothing. */
export const isAbsence = (error: unknown): boolean => absences.includes(errnoOf(error))

/** What is at a path, whatever it is, or `undefined`. */
export async function lookAt(absolute: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(absolute, { bigint: true })
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}

/** The same without leaving the thread: only where looking is quick. */
export function lookAtNow(absolute: string): BigIntStats | undefined {
  try {
    return lstatSync(absolute, { bigint: true, throwIfNoEntry: false })
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}
