import { andThen, type Awaitable, type Clock, type EventHub } from '../core/index.ts'
import { inTransaction, remember, type Database } from '../db/index.ts'
import { PeerError } from './errors.ts'
import { isListed, trustOf, type FederationPolicy, type PeerTrust } from './policy.ts'
import { countTies, deletePeer, findPeer, upsertPeer } from './queries.ts'

export interface TrustDeps {
  db: Database
  clock: Clock
  events: EventHub
  policy(): FederationPolicy
}

/** Who is a peer: the lists of the configuration and the operator's marks together. */
export function createTrust({ db, clock, events, policy }: TrustDeps) {
  const judgeBy = (lists: FederationPolicy) =>
    remember(db, 1000, async (host) =>
      trustOf(host, lists, (await findPeer(db, host))?.trust ?? null),
    )
  let lists = policy()
  let judge = judgeBy(lists)

  function trustNow(host: string): Awaitable<PeerTrust> {
    if (policy() !== lists) {
      lists = policy()
      judge = judgeBy(lists)
    }
    return judge(host)
  }

  return {
    trustOf: trustNow,

    /** Whether a peer is shut out; asked for every request it makes with a credential. */
    isDenied: (host: string): Awaitable<boolean> =>
      andThen(trustNow(host), (trust) => trust === 'denied'),

    /** @throws PeerError `peer_denied`. */
    async checkAllowed(host: string): Promise<void> {
      if ((await trustNow(host)) !== 'denied') return
      throw new PeerError('peer_denied', `${host} is not a peer of this server.`)
    },

    /** Whether the shares of a host need no accepting. */
    isAutoAccepted: (host: string): boolean => isListed(host, policy().autoAccept),

    /** The operator's word; every process hears it with its next request. */
    async setTrust(host: string, trust: 'allowed' | 'denied' | null): Promise<void> {
      await inTransaction(db, (tx) => upsertPeer(tx, host, { trust }))
      events.emit('peer.trust-changed', { peer: host, trust: trust ?? 'open' })
    },

    /**
     * Forgets all that is remembered of a peer, the operator's mark too.
     *
     * @throws PeerError `peer_in_use` while shares with it live or a message to it waits.
     */
    async forget(host: string): Promise<void> {
      const ties = await inTransaction(db, async (tx) => {
        const found = await countTies(tx, host, clock.now())
        if (found === 0) await deletePeer(tx, host)
        return found
      })
      if (ties === 0) return
      const message = `Living shares or waiting messages (${ties}) name ${host}; end them first, or use "davmesh peer deny ${host}".`
      throw new PeerError('peer_in_use', message)
    },
  }
}
