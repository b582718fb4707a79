import { lstat, readdirSync, type Stats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { FileError, toFileError } from '../errors.ts'
import type { Entry, ListOptions } from '../file-tree.ts'
import { isReservedName, isSegment } from '../tree-path.ts'
import { isServed, lookAtNow, toEntry } from './entry.ts'
import type { Guard } from './guard.ts'

/** Enough to keep the thread pool busy, few enough to keep memory flat. */
const batchSize = 512

/** After so many quick looks it is asked whether they are quick. */
const chunkSize = 64

/** When a chunk takes longer than this, the disk is working: the rest goes to the thread pool. */
const slowMs = 8

/** The members of a directory whose own path has been verified. */
export async function* listDirectory(
  guard: Guard,
  directory: string,
  { whole = false }: ListOptions = {},
): AsyncGenerator<readonly Entry[]> {
  const names = await readNames(guard, directory, whole)
  for (let start = 0; start < names.length; start += batchSize) {
    const batch = names.slice(start, start + batchSize)
    const found = await lookAtAll(guard, directory, batch)
    const entries: Entry[] = []
    for (const [index, stats] of found.entries()) {
      const name = batch[index]
      if (stats && name !== undefined && isServed(stats)) entries.push(toEntry(name, stats))
      else if (whole) throw new FileError('left_out')
    }
    if (entries.length > 0) yield entries
    // Quick looks leave the thread to nobody else, so they take turns with others.
    if (guard.isQuick()) await nextTurn()
  }
}

/** The names that a client could say: neither ours nor unspeakable ones. */
export async function readNames(guard: Guard, directory: string, whole = false): Promise<string[]> {
  try {
    // A member's parent is the directory itself, so this also refuses a link in its place.
    await guard.verifyParent(`${directory}/-`)
    const names = guard.isQuick() ? readdirSync(directory) : await readdir(directory)
    const sayable = names.filter((name) => isSegment(name) && !isReservedName(name))
    if (whole && sayable.length < names.length) throw new FileError('left_out')
    return sayable
  } catch (error) {
    const cause = toFileError(error)
    throw cause instanceof FileError && cause.code === 'parent_missing'
      ? new FileError('not_found', { cause })
      : cause
  }
}

type Found = (Stats | undefined)[]

/**
 * What stands under each name. In place it costs 1.6 µs each, through the thread pool 4 to 6, so it
 * is done in place for as long as the answers come from memory.
 */
export async function lookAtAll(
  guard: Guard,
  directory: string,
  names: readonly string[],
): Promise<Found> {
  const found: Found = []
  let startedAt = performance.now()
  while (guard.isQuick() && found.length < names.length) {
    for (const name of names.slice(found.length, found.length + chunkSize)) {
      found.push(lookAtNow(`${directory}/${name}`))
    }
    const now = performance.now()
    if (now - startedAt > slowMs) break
    startedAt = now
  }
  if (found.length === names.length) return found
  return [...found, ...(await lookInPool(directory, names.slice(found.length)))]
}

/** One callback per name: promises cost twice as much on a long listing. */
function lookInPool(directory: string, names: readonly string[]): Promise<Found> {
  return new Promise((resolve) => {
    const found: Found = new Array<Stats | undefined>(names.length)
    let missing = names.length
    for (const [index, name] of names.entries()) {
      lstat(`${directory}/${name}`, (error, stats) => {
        if (error === null) found[index] = stats
        if (--missing === 0) resolve(found)
      })
    }
  })
}
