export interface OutboxTiming {
  /** How often the courier looks for what other processes left. */
  readonly pollMs: number
  /** The worst case of one delivery: discovery and two payload shapes, each waited for in full. */
  readonly leaseMs: number
  /** So long it is waited for what another process is delivering. */
  readonly patienceMs: number
  /** What could not be delivered for so long is given up. */
  readonly maxAgeMs: number
  /** At so many peers at the same time. */
  readonly peersAtOnce: number
  /** 0 to 1, spreads attempts. */
  random(): number
}

export const usualTiming: OutboxTiming = {
  pollMs: 500,
  leaseMs: 90_000,
  patienceMs: 10_000,
  maxAgeMs: 14 * 24 * 60 * 60_000,
  peersAtOnce: 32,
  random: Math.random,
}

const firstDelayMs = 5000
const longestDelayMs = 60 * 60_000

/** Nothing is put off for longer: an instant beyond it means that the clock was set back. */
export const farFutureMs = 2 * longestDelayMs

/** No lease is longer, clocks of several processes allowed for. */
export const farLeaseMs = 5 * 60_000

/**
 * Doubles from 5 seconds to an hour; half of it is chance, so that those who failed together do not
 * come back together.
 */
export function delayMs(attempts: number, random: number, retryAfterSeconds = 0): number {
  const full = Math.min(firstDelayMs * 2 ** Math.max(attempts - 1, 0), longestDelayMs)
  const asked = Math.min(retryAfterSeconds * 1000, longestDelayMs)
  return Math.round(Math.max(full / 2 + (full / 2) * random, asked))
}
