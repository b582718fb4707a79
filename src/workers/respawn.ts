/** A worker that served this long did not die at once. */
const longLifeMs = 5000

/** So many short lives in a row, and the next one would be as short. */
const maxShortLives = 5

const firstDelayMs = 100

/** How long to wait before a dead worker is replaced, or that there is no use in it. */
export interface Respawn {
  /** @param livedMs how long it served; 0 when it never did. */
  afterDeath(livedMs: number): number | 'give_up'
}

/**
 * At once after the first death, so that nobody notices; then slower, so that a fault which comes
 * with every start does not take the machine.
 */
export function createRespawn(): Respawn {
  let shortLives = 0
  return {
    afterDeath(livedMs) {
      if (livedMs >= longLifeMs) shortLives = 0
      shortLives += 1
      if (shortLives > maxShortLives) return 'give_up'
      return shortLives === 1 ? 0 : firstDelayMs * 2 ** (shortLives - 2)
    },
  }
}
