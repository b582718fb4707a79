import { createTurns } from '../files/index.ts'

/** Turns that processes take and give back; a process that dies gives back all of its own. */
export interface ServedTurns {
  /** Calls `granted` when every key is free for `owner`. */
  take(owner: number, id: number, keys: readonly string[], granted: () => void): void
  give(owner: number, id: number): void
  /** What an owner had when it died; the keys stay taken until `free`. */
  heldBy(owner: number): string[]
  free(owner: number): void
}

interface Held {
  readonly keys: readonly string[]
  readonly end: () => void
}

export function createServedTurns(): ServedTurns {
  const turns = createTurns()
  const owners = new Map<number, Map<number, Held>>()
  const gone = new Set<number>()

  const heldOf = (owner: number): Map<number, Held> => {
    const held = owners.get(owner) ?? new Map<number, Held>()
    owners.set(owner, held)
    return held
  }

  return {
    take(owner, id, keys, granted) {
      void turns.take(keys, async () => {
        // Its turn came after its end.
        if (gone.has(owner)) return
        await new Promise<void>((end) => {
          heldOf(owner).set(id, { keys, end })
          granted()
        })
      })
    },
    give(owner, id) {
      const held = owners.get(owner)
      held?.get(id)?.end()
      held?.delete(id)
    },
    heldBy(owner) {
      gone.add(owner)
      return [...(owners.get(owner)?.values() ?? [])].flatMap(({ keys }) => keys)
    },
    free(owner) {
      gone.add(owner)
      for (const { end } of owners.get(owner)?.values() ?? []) end()
      owners.delete(owner)
    },
  }
}
