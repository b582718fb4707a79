/** For each moment of waiting in place so many follow in which the thread pool waits instead. */
const restTimes = 100

/** Lets work be done in place while the disk takes it at once, and in the thread pool otherwise. */
export interface Pace {
  isQuick(): boolean
  /** Does something in place, and notices how long it took. */
  inPlace<Result>(work: () => Result): Result
}

/** @param slowMs what took longer was waiting for the disk. */
export function createPace(slowMs: number, now: () => number = () => performance.now()): Pace {
  let slowUntil = -Infinity
  return {
    isQuick: () => now() >= slowUntil,
    inPlace(work) {
      const startedAt = now()
      try {
        return work()
      } finally {
        const endedAt = now()
        const tookMs = endedAt - startedAt
        if (tookMs > slowMs) slowUntil = endedAt + restTimes * tookMs
      }
    },
  }
}
