/** Wall-clock time, injected everywhere so that tests move it. */
export interface Clock {
  /** The instant now, in epoch milliseconds. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** Whole seconds since the epoch, the unit of JWT and RFC 9421 times. */
export const epochSeconds = (clock: Clock): number => Math.floor(clock.now() / 1000)
