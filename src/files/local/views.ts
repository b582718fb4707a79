import { dirname } from 'node:path'
import { LRUCache } from 'lru-cache'
import { keepWeighed } from '../../core/index.ts'
import { noGeneration, type Generation } from '../generation.ts'
import type { Guard } from './guard.ts'
import { scanDirectory, type Scan } from './scan.ts'

/** How old a view may be. Looking again at 1,000 members takes 2 ms, so this costs 4 % of a thread. */
const maxAgeMs = 50

/** Longer directories are listed each time, a part after another. */
const maxMembers = 4096

/** What all views may hold together; a member weighs about 350 bytes. */
const maxBytes = 16 * 1024 * 1024
const memberBytes = 350

/** What the trees over one disk have lately seen of directories, for whoever lists them again. */
export interface Views {
  /**
   * The members of a directory, as a look at each of them that began at most 50 ms ago found them,
   * and no change of our own since. `undefined` for what is no directory, or too long to be kept.
   */
  find(guard: Guard, directory: string): Promise<Scan | undefined>
  /** Something at this path was written, made, moved or removed by us. */
  changed(absolute: string): void
  /** The same for all that is below: dearer, the more is kept. */
  changedBelow(absolute: string): void
}

interface Kept {
  scan: Scan | undefined
  /** Too long to be kept; it stays so until it is forgotten, which costs only speed. */
  isLong: boolean
  /** When the look began that confirmed `scan`. */
  seenAt: number
  /** Counts our own changes, so that a look which began before one of them does not count. */
  changes: number
  running: Promise<void> | undefined
}

const unseen = (): Kept => ({
  scan: undefined,
  isLong: false,
  seenAt: -Infinity,
  changes: 0,
  running: undefined,
})

export function createViews(
  now: () => number = () => performance.now(),
  generation: Generation = noGeneration,
): Views {
  const views = new LRUCache<string, Kept>({ maxSize: maxBytes })
  let lastGeneration = generation.current()
  /** No look that began before counts: others have changed something since. */
  let forgottenAt = -Infinity
  let version = 0
  const limits = { maxMembers, nextVersion: () => (version += 1) }

  function keep(directory: string, kept: Kept): Kept {
    keepWeighed(views, directory, kept, 1024 + (kept.scan?.names.length ?? 0) * memberBytes)
    return kept
  }

  async function look(guard: Guard, directory: string, kept: Kept): Promise<void> {
    const seenAt = now()
    const { changes } = kept
    const found = await scanDirectory(guard, directory, kept.scan, limits)
    kept.isLong = found === 'long'
    kept.scan = found === 'long' ? undefined : found
    if (kept.changes === changes) kept.seenAt = seenAt
    // Another may have taken its place meanwhile.
    if (views.peek(directory) !== kept) return
    if (found === undefined) views.delete(directory)
    else keep(directory, kept)
  }

  function forgetOthers(): void {
    const current = generation.current()
    if (current === lastGeneration) return
    lastGeneration = current
    forgottenAt = now()
  }

  function spoil(directory: string): void {
    const kept = views.peek(directory)
    if (!kept) return
    kept.changes += 1
    kept.seenAt = -Infinity
  }

  return {
    async find(guard, directory) {
      forgetOthers()
      const earliest = Math.max(now() - maxAgeMs, forgottenAt)
      const kept = views.get(directory)
      // Most directories are listed once; what nobody asks for again is not worth keeping.
      if (!kept) keep(directory, unseen())
      if (!kept || kept.isLong) return undefined
      // Whoever joins a look that began too early waits for the next; nobody waits for long.
      for (let attempt = 0; attempt < 3; attempt += 1) {
        if (kept.seenAt >= earliest) return kept.scan
        kept.running ??= look(guard, directory, kept).finally(() => {
          kept.running = undefined
        })
        await kept.running
        if (kept.scan === undefined) return undefined
      }
      return undefined
    },
    changed(absolute) {
      spoil(absolute)
      // Its own entry is in its parent's view, and its parent's in the next one's.
      spoil(dirname(absolute))
      spoil(dirname(dirname(absolute)))
      generation.bump()
    },
    changedBelow(absolute) {
      for (const path of views.keys()) if (path.startsWith(`${absolute}/`)) spoil(path)
    },
  }
}
