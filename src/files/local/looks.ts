import type { Stats } from 'node:fs'
import { LRUCache } from 'lru-cache'
import type { Entry } from '../file-tree.ts'
import { isSameVersion, lookAtNow, toServed, type LocalEntry } from './entry.ts'
import type { Guard } from './guard.ts'

/** How long it is believed that no link leads to a file that stays the same. */
const maxAgeMs = 50

const maxPlaces = 1000

/** Looks at what stands at a path, and for a moment remembers what no link had led to. */
export interface Looks {
  /**
   * What is served at a path that no link leads to, for where looking is quick. The same object for as
   * long as it stays the same.
   */
  look(guard: Guard, absolute: string, name: string): Entry | undefined
}

interface Verified {
  readonly stats: Stats
  readonly entry: LocalEntry | undefined
  readonly at: number
}

/** Making sure takes four system calls; looking whether it is the very same takes one. */
export function createLooks(now: () => number = () => performance.now()): Looks {
  const verified = new LRUCache<string, Verified>({ max: maxPlaces })
  return {
    look(guard, absolute, name) {
      const at = now()
      const known = verified.get(absolute)
      if (known && at - known.at <= maxAgeMs) {
        const stats = lookAtNow(absolute)
        // Whatever the path leads through by now: it is the inode that was verified.
        if (stats && isSameVersion(known.stats, stats)) return known.entry?.named(name)
      }
      const stats = guard.lookNow(absolute)
      if (!stats) return undefined
      const isKnown = known && isSameVersion(known.stats, stats)
      const entry = isKnown ? known.entry : toServed(name, stats)
      verified.set(absolute, { stats, entry, at })
      return entry?.named(name)
    },
  }
}
