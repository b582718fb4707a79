import type { Clock, EventHub } from '../core/index.ts'
import { inTransaction, remember, type Database } from '../db/index.ts'
import { PeerError } from './errors.ts'
import { findPeer, upsertPeer, type PeerRow } from './queries.ts'

export interface BreakerState {
  readonly state: 'closed' | 'open' | 'half-open'
  readonly failures: number
  /** Nobody calls before; epoch milliseconds. */
  readonly until: number | null
}

/** So many failures in a row are no accident. */
const patience = 5
const firstRestMs = 30_000
const longestRestMs = 30 * 60_000
/** How long one process has for the probe before another may try. */
const probeMs = 15_000

/** @returns null for a peer without trouble. */
export function breakerState(
  { failures, restUntil }: Pick<PeerRow, 'failures' | 'restUntil'>,
  now: number,
): BreakerState | null {
  if (failures === 0) return null
  const state = restUntil === null ? 'closed' : isResting(restUntil, now) ? 'open' : 'half-open'
  return { state, failures, until: restUntil }
}

/** A rest longer than any means that the clock was set back. */
const isResting = (restUntil: number, now: number): boolean =>
  restUntil > now && restUntil <= now + 2 * longestRestMs

/**
 * Spares peers that fail, and us the waiting: after five failures in a row nobody calls for a
 * while, then one probe at a time decides. Only of peers that are recorded.
 */
export function createBreaker({
  db,
  clock,
  events,
}: {
  db: Database
  clock: Clock
  events: EventHub
}) {
  // Asked twice for every request that is passed on to a peer.
  const look = remember(db, 1000, (host) => findPeer(db, host))

  /** @throws PeerError `peer_resting`. */
  async function enter(host: string): Promise<void> {
    const row = await look(host)
    if (row?.restUntil == null) return
    const now = clock.now()
    // Whoever moves the instant is the one who probes.
    const isProbe =
      !isResting(row.restUntil, now) &&
      (await inTransaction(db, async (tx) => {
        const current = await findPeer(tx, host)
        if (current?.restUntil !== row.restUntil) return false
        await upsertPeer(tx, host, { restUntil: now + probeMs })
        return true
      }))
    if (isProbe) return
    const until = Math.max(row.restUntil, now + 1000)
    const retryAfterSeconds = Math.ceil((until - now) / 1000)
    const message = `${host} has failed ${row.failures} times in a row and is left alone for ${retryAfterSeconds} s.`
    throw new PeerError('peer_resting', message, { retryAfterSeconds })
  }

  /** @param isWell undefined: it spoke, which proves nothing of the rest; the next call may probe. */
  async function leave(host: string, isWell: boolean | undefined): Promise<void> {
    const row = await look(host)
    if (row === undefined) return
    if (
      isWell !== false &&
      row.restUntil === null &&
      (isWell === undefined || row.failures === 0)
    ) {
      return
    }
    let restMs = 0
    await inTransaction(db, async (tx) => {
      const current = await findPeer(tx, host)
      const { failingSince, ...profile } = current?.profile ?? {}
      if (isWell) {
        await upsertPeer(tx, host, { failures: 0, restUntil: null, profile })
        return
      }
      if (isWell === undefined) {
        await upsertPeer(tx, host, { restUntil: clock.now() })
        return
      }
      const failures = (current?.failures ?? 0) + 1
      const since = failures === 1 ? clock.now() : (failingSince ?? clock.now())
      const doublings = Math.min(failures - patience, 10)
      if (doublings >= 0) restMs = Math.min(firstRestMs * 2 ** doublings, longestRestMs)
      const rest = restMs > 0 ? { restUntil: clock.now() + restMs } : {}
      await upsertPeer(tx, host, {
        failures,
        ...rest,
        profile: { ...profile, failingSince: since },
      })
    })
    if (restMs > 0) events.emit('peer.rested', { peer: host, seconds: restMs / 1000 })
  }

  /** What the peer said is worth more than our memory of it, and a fault of ours is none of its. */
  const note = (host: string, isWell: boolean | undefined): Promise<void> =>
    leave(host, isWell).catch(() => undefined)

  return {
    /** The next call probes, however long the rest was to last. */
    async wake(host: string): Promise<void> {
      if ((await look(host))?.restUntil == null) return
      await inTransaction(db, (tx) => upsertPeer(tx, host, { restUntil: clock.now() }))
    },

    /**
     * Calls a peer unless it rests.
     *
     * @param isWell whether what came back is the answer of a server in order; undefined: it does
     *   not tell.
     */
    async call<T>(
      host: string,
      work: () => Promise<T>,
      isWell: (result: T) => boolean | undefined,
    ): Promise<T> {
      await enter(host)
      let result: T
      try {
        result = await work()
      } catch (error) {
        await note(host, false)
        throw error
      }
      await note(host, isWell(result))
      return result
    },
  }
}
