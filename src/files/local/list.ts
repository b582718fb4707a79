import { lstat, type BigIntStats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { FileError, toFileError } from '../errors.ts'
import type { Entry } from '../file-tree.ts'
import { isReservedName, isSegment } from '../tree-path.ts'
import { isServed, toEntry } from './entry.ts'
import type { Guard } from './guard.ts'

/** Enough to keep the thread pool busy, few enough to keep memory flat. */
const batchSize = 512

/** The members of a directory whose own path has been verified. */
export async function* listDirectory(
  guard: Guard,
  directory: string,
): AsyncGenerator<readonly Entry[]> {
  const names = await readNames(guard, directory)
  for (let start = 0; start < names.length; start += batchSize) {
    const batch = names.slice(start, start + batchSize)
    const found = await lookAtAll(directory, batch)
    const entries: Entry[] = []
    for (const [index, stats] of found.entries()) {
      const name = batch[index]
      if (stats && name !== undefined && isServed(stats)) entries.push(toEntry(name, stats))
    }
    if (entries.length > 0) yield entries
  }
}

/** The names that a client could say: neither ours nor unspeakable ones. */
export async function readNames(guard: Guard, directory: string): Promise<string[]> {
  try {
    // A member's parent is the directory itself, so this also refuses a link in its place.
    await guard.verifyParent(`${directory}/-`)
    const names = await readdir(directory)
    return names.filter((name) => isSegment(name) && !isReservedName(name))
  } catch (error) {
    const cause = toFileError(error)
    throw cause instanceof FileError && cause.code === 'parent_missing'
      ? new FileError('not_found', { cause })
      : cause
  }
}

/** One callback per name: promises cost twice as much on a long listing. */
function lookAtAll(directory: string, names: string[]): Promise<(BigIntStats | undefined)[]> {
  return new Promise((resolve) => {
    const found = new Array<BigIntStats | undefined>(names.length)
    let missing = names.length
    if (missing === 0) resolve(found)
    for (const [index, name] of names.entries()) {
      lstat(`${directory}/${name}`, { bigint: true }, (error, stats) => {
        if (error === null) found[index] = stats
        if (--missing === 0) resolve(found)
      })
    }
  })
}
