import type { BigIntStats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { errnoOf } from '../errors.ts'
import type { Entry } from '../file-tree.ts'

/**
 * Whether callers may know of it: plain files and directories only. A file with several names that
 * another user owns may be a window to somewhere else, so it is not served.
 */
export function isServed(stats: BigIntStats): boolean {
  if (stats.isDirectory()) return true
  if (!stats.isFile()) return false
  return stats.nlink <= 1n || Number(stats.uid) === process.geteuid?.()
}

export function toEntry(name: string, stats: BigIntStats): Entry {
  const isFile = stats.isFile()
  return {
    name,
    kind: isFile ? 'file' : 'directory',
    size: isFile ? Number(stats.size) : 0,
    modifiedAt: Number(stats.mtimeMs),
    createdAt: Number(stats.birthtimeMs),
    etag: etagOf(stats),
  }
}

const etagOf = (stats: BigIntStats): string =>
  `"${stats.ino.toString(36)}-${stats.size.toString(36)}-${stats.mtimeNs.toString(36)}"`

/** What is at a path, whatever it is, or `undefined`. */
export async function lookAt(absolute: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(absolute, { bigint: true })
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(errnoOf(error))) return undefined
    throw error
  }
}
