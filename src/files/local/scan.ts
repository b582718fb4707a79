import { setImmediate as nextTurn } from 'node:timers/promises'
import { FileError } from '../errors.ts'
import type { DirectoryView } from '../file-tree.ts'
import { isServed, toEntry, type LocalEntry } from './entry.ts'
import type { Guard } from './guard.ts'
import { lookAtAll, readNames } from './list.ts'

const batchSize = 512

/** A view, and what it takes to tell whether it still holds. */
export interface Scan extends DirectoryView {
  readonly entry: LocalEntry
  /** Every name that was read, and what was served under it. */
  readonly names: readonly string[]
  readonly served: readonly (LocalEntry | undefined)[]
}

export interface ScanLimits {
  readonly maxMembers: number
  readonly nextVersion: () => number
}

/**
 * Looks at a directory and at everything in it, names included: times of directories tick too
 * coarsely to be trusted. Gives back `known` itself when nothing differs.
 *
 * @returns `undefined` for what is no directory, `long` for one of more than `maxMembers`.
 */
export async function scanDirectory(
  guard: Guard,
  directory: string,
  known: Scan | undefined,
  limits: ScanLimits,
): Promise<Scan | 'long' | undefined> {
  const held = await guard.hold(directory).catch(unlessFault)
  if (held === undefined) return undefined
  try {
    return await scanHeld(guard, held.path, known, limits)
  } finally {
    held.release()
  }
}

async function scanHeld(
  guard: Guard,
  directory: string,
  known: Scan | undefined,
  { maxMembers, nextVersion }: ScanLimits,
): Promise<Scan | 'long' | undefined> {
  const stats = await guard.look(`${directory}/.`)
  const names = await readNames(guard, directory).catch(unlessFault)
  if (stats === undefined || names === undefined) return undefined
  if (names.length > maxMembers) return 'long'
  const served = await findServed(guard, directory, names, known)
  const isSame =
    known?.entry.describes(stats) === true &&
    known.names.length === names.length &&
    served.every((one, index) => one === known.served[index] && names[index] === known.names[index])
  if (isSame) return known
  const members = served.filter((one) => one !== undefined)
  return { version: nextVersion(), entry: toEntry('', stats), members, names, served }
}

/** What is served under each name; entries that still hold are taken over from `known`. */
async function findServed(
  guard: Guard,
  directory: string,
  names: readonly string[],
  known: Scan | undefined,
): Promise<(LocalEntry | undefined)[]> {
  const served: (LocalEntry | undefined)[] = []
  for (let start = 0; start < names.length; start += batchSize) {
    for (const stats of await lookAtAll(guard, directory, names.slice(start, start + batchSize))) {
      const index = served.length
      const name = names[index] ?? ''
      const before = known?.names[index] === name ? known.served[index] : undefined
      if (stats === undefined || !isServed(stats)) served.push(undefined)
      else served.push(before?.describes(stats) === true ? before : toEntry(name, stats))
    }
    if (served.length < names.length) await nextTurn()
  }
  return served
}

function unlessFault(error: unknown): undefined {
  if (!(error instanceof FileError)) throw error
}
