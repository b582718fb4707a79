/** A change in place that took longer than this was waiting for the disk. */
const slowMs = 4

/** How long the thread pool then has to do them. */
const restMs = 1000

/** Lets changes happen in place while the disk takes them at once, and in the thread pool otherwise. */
export interface Pace {
  isQuick(): boolean
  /** Does something in place, and notices how long it took. */
  inPlace<Result>(work: () => Result): Result
}

export function createPace(now: () => number = () => performance.now()): Pace {
  let slowUntil = -Infinity
  return {
    isQuick: () => now() >= slowUntil,
    inPlace(work) {
      const startedAt = now()
      try {
        return work()
      } finally {
        const endedAt = now()
        if (endedAt - startedAt > slowMs) slowUntil = endedAt + restMs
      }
    },
  }
}
