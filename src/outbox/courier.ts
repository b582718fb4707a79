import pLimit from 'p-limit'
import { reach } from '../core/index.ts'

export interface CourierDeps {
  pollMs: number
  peersAtOnce: number
  duePeers(): Promise<string[]>
  /** Delivers one entry of the peer; false when there is none. */
  deliverOne(peer: string): Promise<boolean>
}

/** So many for one peer before the others have had their turn. */
const turn = 20

/** Carries what is due, again and again: one entry at a time for each peer, many peers at once. */
export function createCourier({ pollMs, peersAtOnce, duePeers, deliverOne }: CourierDeps) {
  const limit = pLimit(peersAtOnce)
  const busy = new Map<string, Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let isRunning = false

  async function serve(peer: string): Promise<void> {
    let count = 0
    try {
      while (isRunning && count < turn && (await deliverOne(peer))) count += 1
    } catch {
      // The entry's lease runs out and it is delivered again; what failed has been logged below.
    } finally {
      busy.delete(peer)
    }
    if (count === turn) plan(0)
  }

  async function look(): Promise<void> {
    let wait = pollMs
    try {
      for (const peer of await duePeers()) {
        if (!busy.has(peer)) busy.set(peer, limit(serve, peer))
      }
    } catch {
      wait = 2 * pollMs
    }
    plan(wait)
  }

  function plan(delay: number): void {
    if (!isRunning) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      void reach('outbox.looking')
      void look()
    }, delay).unref()
  }

  return {
    start(): void {
      isRunning = true
      plan(0)
    },
    async stop(): Promise<void> {
      isRunning = false
      clearTimeout(timer)
      await Promise.all(busy.values())
    },
  }
}
