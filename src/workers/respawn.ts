/** Longer than this nobody waits for what may be right again. */
const longestDelayMs = 30_000

/** A worker that served this long did not die at once. */
const longLifeMs = 5000

/** So many short lives in a row, and the next one would be as short. */
const maxShortLives = 5

const firstDelayMs = 100

/** How long to wait before a dead worker is replaced, or that there is no use in it. */
export interface Respawn {
  /**
   * @param livedMs how long it served; 0 when it never did.
   * @param othersServe so long there is somebody to go on with.
   */
  afterDeath(livedMs: number, othersServe: boolean): number | 'give_up'
}

/**
 * At once after the first death, so that nobody notices; then slower, so that a fault which comes
 * with every start does not take the machine.
 */
export function createRespawn(): Respawn {
  let shortLives = 0
  return {
    afterDeath(livedMs, othersServe) {
      if (livedMs >= longLifeMs) shortLives = 0
      shortLives += 1
      if (shortLives > maxShortLives && !othersServe) return 'give_up'
      if (shortLives === 1) return 0
      return Math.min(firstDelayMs * 2 ** (shortLives - 2), longestDelayMs)
    },
  }
}
