import type { Clock } from '../core/index.ts'
import type { Peers, RememberedPeer } from '../peers/index.ts'
import type { IncomingShare } from '../shares/index.ts'
import { problems } from './access/problems.ts'

/** What keeps a user from a share, in words for the user. */
export interface Trouble {
  readonly problem: string
  /** Since when it is known; epoch milliseconds. */
  readonly since: number | null
}

/** What was noted of the share itself, else what is wrong with it or its sender just now. */
export function troubleOf(
  share: IncomingShare,
  peer: RememberedPeer | undefined,
  now: number,
): Trouble | undefined {
  const { problem, problemAt, state, expiresAt, senderHost } = share
  if (problem !== null) return { problem, since: problemAt }
  if (state !== 'accepted') return undefined
  if (expiresAt !== null && expiresAt <= now) return { problem: problems.expired, since: expiresAt }
  if (peer?.trust === 'denied') return { problem: problems.denied(senderHost), since: null }
  if (peer?.breaker == null) return undefined
  // A few failures in a row may be an accident; it is called all the same.
  const words = peer.breaker.state === 'closed' ? problems.failing : problems.away
  return { problem: words(senderHost), since: peer.failingSince }
}

/** Looks once for all of them. */
export async function findTroubles(
  { peers, clock }: { peers: Pick<Peers, 'list'>; clock: Clock },
  shares: readonly IncomingShare[],
): Promise<(Trouble | undefined)[]> {
  const byHost = new Map((await peers.list()).map((peer) => [peer.host, peer]))
  return shares.map((share) => troubleOf(share, byHost.get(share.senderHost), clock.now()))
}
