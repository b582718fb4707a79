import type { Clock } from '../core/index.ts'
import type { Database } from '../db/index.ts'
import { countTies, selectPeers, type PeerRow } from './queries.ts'

export interface RefreshDeps {
  readonly db: Database
  readonly clock: Clock
  /** Asks for the document of a peer, and for its keys. */
  renew(host: string): Promise<void>
}

/** A document is used for a day; so nobody has to wait for it. */
const oldMs = 20 * 60 * 60_000

/** Who did not answer is left alone; whoever needs it asks anyway. */
const afterFailureMs = 6 * 60 * 60_000

/** Keeps what is remembered of the peers that share with us from growing old. */
export function createRefresh({ db, clock, renew }: RefreshDeps) {
  const isOld = ({ discoveredAt, lastErrorAt }: PeerRow, now: number): boolean =>
    now - (discoveredAt ?? 0) >= oldMs && now - (lastErrorAt ?? 0) >= afterFailureMs

  /**
   * Asks the peers that were asked longest ago, one after the other.
   *
   * @param limit how many at most.
   * @returns how many answered, and how many did not.
   */
  return async function refreshOld(
    limit: number,
    signal: AbortSignal,
  ): Promise<{ renewed: number; failed: number }> {
    const count = { renewed: 0, failed: 0 }
    const old = (await selectPeers(db)).filter((row) => isOld(row, clock.now()))
    old.sort((one, other) => (one.discoveredAt ?? 0) - (other.discoveredAt ?? 0))
    for (const { host } of old) {
      if (signal.aborted || count.renewed + count.failed === limit) break
      if ((await countTies(db, host, clock.now())) === 0) continue
      // Why it failed is remembered with the peer.
      const isWell = await renew(host).then(
        () => true,
        () => false,
      )
      count[isWell ? 'renewed' : 'failed'] += 1
    }
    return count
  }
}
