import type { Clock } from '../../src/core/index.ts'

export interface FakeClock extends Clock {
  /** Moves time on: `advance('6m')`, `advance('-1s')`. */
  advance(by: string): void
  /** Whole seconds since the epoch. */
  seconds(): number
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Time that moves only when a test says so; it begins on a whole second. */
export function fakeClock(startAt = Date.UTC(2026, 2, 1, 12)): FakeClock {
  let now = startAt
  return {
    now: () => now,
    seconds: () => Math.floor(now / 1000),
    advance(by) {
      const [, amount, unit] = /^(-?\d+)(ms|s|m|h|d)$/.exec(by) ?? []
      if (unit === undefined) throw new Error(`"${by}" is no duration`)
      now += Number(amount) * unitMs[unit as keyof typeof unitMs]
    },
  }
}
