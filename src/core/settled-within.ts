import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits until all have ended, well or not, but no longer than `ms` milliseconds.
 *
 * @returns whether they have.
 */
export async function settledWithin(ms: number, works: Iterable<unknown>): Promise<boolean> {
  const patience = new AbortController()
  const late = sleep(ms, false, { signal: patience.signal }).catch(() => false)
  const settled = Promise.allSettled(works).then(() => true)
  try {
    return await Promise.race([settled, late])
  } finally {
    patience.abort()
  }
}
