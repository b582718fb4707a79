import { LRUCache } from 'lru-cache'
import type { Clock } from '../core/index.ts'

/** A stranger is not asked again for so long. */
const foundMs = 5 * 60_000
/** Nor is one who could not be discovered. */
const failedMs = 30_000

interface Known<Found> {
  readonly until: number
  readonly outcome: { readonly found: Found } | { readonly error: unknown }
}

/**
 * Remembers strangers, and those who could not be discovered, in memory alone, and asks each once
 * at a time: what anybody sends us must not become a flood of requests to somebody else.
 */
export function createPeerCache<Found>(clock: Clock) {
  const known = new LRUCache<string, Known<Found>>({ max: 1000 })
  const asking = new Map<string, Promise<Found>>()

  const remember = (host: string, found: Found): void =>
    void known.set(host, { outcome: { found }, until: clock.now() + foundMs })

  async function askAndRemember(host: string, ask: () => Promise<Found>): Promise<Found> {
    try {
      const found = await ask()
      remember(host, found)
      return found
    } catch (error) {
      known.set(host, { outcome: { error }, until: clock.now() + failedMs })
      throw error
    } finally {
      asking.delete(host)
    }
  }

  return {
    async find(host: string, ask: () => Promise<Found>): Promise<Found> {
      const kept = known.get(host)
      // A clock that was set back must not make it last.
      if (kept && kept.until > clock.now() && kept.until <= clock.now() + foundMs) {
        if ('error' in kept.outcome) throw kept.outcome.error
        return kept.outcome.found
      }
      const running = asking.get(host) ?? askAndRemember(host, ask)
      asking.set(host, running)
      return running
    },

    /** What was asked since is truer. */
    remember,
  }
}
