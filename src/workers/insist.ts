import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../core/index.ts'

const firstDelayMs = 100
const longestDelayMs = 5000

/** What ends the patience of `insist`. */
interface Insisting {
  readonly log: Logger
  /** Whether the next start has to do it. */
  isOver(): boolean
}

/**
 * Settles what a dead worker was at, again and again until it succeeds: a database that is busy now is
 * not for ever, and nobody may go on from what is half done.
 */
export async function insist(
  settle: () => Promise<void>,
  { log, isOver }: Insisting,
): Promise<void> {
  for (let delay = firstDelayMs; ; delay = Math.min(delay * 2, longestDelayMs)) {
    try {
      await settle()
      return
    } catch (error) {
      if (isOver()) {
        log.error({ err: error }, 'what a worker was at waits for the next start')
        return
      }
      log.warn({ err: error, delay }, 'what a worker was at cannot be settled yet')
    }
    await sleep(delay)
  }
}
