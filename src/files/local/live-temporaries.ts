import { utimes } from 'node:fs/promises'
import { basename } from 'node:path'

/** Well within the hour after which a temporary counts as left behind. */
const signMs = 10 * 60_000

/** The temporaries that this process is at. */
export interface LiveTemporaries {
  /** Called before it is made; what it returns, when it is placed or removed. */
  enter(path: string): () => void
  /** By the last segment of its path, which no other temporary has. */
  has(name: string): boolean
}

/**
 * Remembers them, and gives each directory a new modification time now and then: that is how other
 * processes tell a large tree that is being copied from what a dead one left. A file has one with
 * every part that is written.
 */
export function createLiveTemporaries(everyMs = signMs): LiveTemporaries {
  const live = new Map<string, string>()
  let timer: NodeJS.Timeout | undefined

  function sign(): void {
    if (live.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
    const now = new Date()
    // The dot is in directories alone. One that is gone by now needs no sign.
    for (const path of live.values()) utimes(`${path}/.`, now, now).catch(() => undefined)
  }

  return {
    enter(path) {
      const name = basename(path)
      live.set(name, path)
      timer ??= setInterval(sign, everyMs).unref()
      return () => void live.delete(name)
    },
    has: (name) => live.has(name),
  }
}
