import { parseAuthority, type Clock, type EventHub } from '../core/index.ts'
import { inTransaction, remember, type Database } from '../db/index.ts'
import { OutboundError, type GuardedClient, type OutboundErrorCode } from '../http/index.ts'
import type { FoundKey } from '../http-signatures/index.ts'
import type { LegacySigner, MessageSigner } from '../keys/index.ts'
import { breakerState, createBreaker, type BreakerState } from './breaker.ts'
import { createPeerCache } from './peer-cache.ts'
import { parseDiscovery, type Discovery } from './discovery-document.ts'
import { discoverPeer } from './discover.ts'
import { PeerError } from './errors.ts'
import { createKeyFinder } from './key-finder.ts'
import { trustOf, type FederationPolicy, type PeerTrust } from './policy.ts'
import { createPoster, type PeerAnswer } from './post.ts'
import { findPeer, recordPeer, selectPeers, upsertPeer, type PeerRow } from './queries.ts'
import { createRefresh } from './refresh.ts'
import { createTrust } from './trust.ts'

/** Another OCM server, discovered. */
export interface Peer {
  /** Normalised `host[:port]`. */
  readonly host: string
  readonly discovery: Discovery
  readonly profile: PeerRow['profile']
}

export interface PeersDeps {
  db: Database
  clock: Clock
  events: EventHub
  client: GuardedClient
  policy(): FederationPolicy
  /** Peers may be on plain http (dev only). */
  allowHttp: boolean
  signer(): Promise<MessageSigner>
  /** Signs for peers of the draft-cavage time, if we do. */
  legacySigner: (() => Promise<LegacySigner>) | undefined
}

/** All that is remembered of a peer, and what we make of it now. */
export interface RememberedPeer extends Omit<PeerRow, 'trust'> {
  readonly trust: PeerTrust
  readonly breaker: BreakerState | null
  /** When the first of its failures in a row was; null when it is well. */
  readonly failingSince: number | null
}

export type Peers = ReturnType<typeof createPeers>

/** A document younger than this is used without asking again. */
const freshMs = 24 * 60 * 60_000

export function createPeers(deps: PeersDeps) {
  const { db, clock, events, client, policy, allowHttp, signer, legacySigner } = deps
  const { checkAllowed, ...trust } = createTrust({ db, clock, events, policy })
  const breaker = createBreaker({ db, clock, events })
  const cache = createPeerCache<Peer>(clock)
  const post = createPoster({ clock, client, signer, legacySigner })

  function describe(row: PeerRow): RememberedPeer {
    const { failingSince = null, ...profile } = row.profile
    return {
      ...row,
      profile,
      trust: trustOf(row.host, policy(), row.trust),
      breaker: breakerState(row, clock.now()),
      failingSince: row.failures > 0 ? failingSince : null,
    }
  }

  /** Asks the peer, whatever is remembered; strangers who only write to us are not recorded. */
  async function ask(host: string, record: boolean): Promise<Peer> {
    await checkAllowed(host)
    try {
      const find = () => discoverPeer(client, host, allowHttp)
      const { url, document, discovery } = await breaker.call(host, find, () => undefined)
      const now = clock.now()
      const found = { discovery: document, discoveryUrl: url, discoveredAt: now, lastOkAt: now }
      if (record) await inTransaction(db, (tx) => upsertPeer(tx, host, found))
      const peer = { host, discovery, profile: (await findPeer(db, host))?.profile ?? {} }
      cache.remember(host, peer)
      events.emit('peer.discovered', { peer: host })
      return peer
    } catch (error) {
      const isResting = error instanceof PeerError && error.code === 'peer_resting'
      if (!isResting) await noteFailure(host, error)
      throw error
    }
  }

  async function noteFailure(host: string, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : 'unknown'
    events.emit('peer.refused', { peer: host, reason })
    const change = { lastError: reason, lastErrorAt: clock.now() }
    if ((await findPeer(db, host)) !== undefined) {
      await inTransaction(db, (tx) => upsertPeer(tx, host, change))
    }
  }

  function remembered(row: PeerRow | undefined): Peer | undefined {
    if (row?.discovery == null || row.discoveryUrl === null) return undefined
    try {
      const discovery = parseDiscovery(row.discovery, row.host, new URL(row.discoveryUrl))
      return { host: row.host, discovery, profile: row.profile }
    } catch {
      return undefined
    }
  }

  const recall = remember(db, 1000, async (host) => {
    const row = await findPeer(db, host)
    const discoveredAt = row?.discoveredAt ?? 0
    return { known: remembered(row), discoveredAt, isRecorded: row !== undefined }
  })

  /** The peer as remembered for up to a day, else as it says now. */
  async function getPeer(host: string): Promise<Peer> {
    await checkAllowed(host)
    const { known, discoveredAt, isRecorded } = await recall(host)
    if (known !== undefined && clock.now() - discoveredAt < freshMs) return known
    try {
      return await cache.find(host, () => ask(host, isRecorded))
    } catch (error) {
      if (known !== undefined) return known
      throw error
    }
  }

  const inOrder = ({ status }: PeerAnswer): boolean => status < 500 || status === 501
  /** A success without JSON is the page of somebody in between. */
  const isToken = (answer: PeerAnswer): boolean =>
    inOrder(answer) && (answer.status >= 300 || answer.body !== undefined)

  async function tell(
    peer: Peer,
    send: () => Promise<PeerAnswer>,
    isWell: (answer: PeerAnswer) => boolean,
  ): Promise<PeerAnswer> {
    const answer = await breaker.call(peer.host, send, isWell)
    if (answer.status < 500) {
      await inTransaction(db, (tx) => upsertPeer(tx, peer.host, { lastOkAt: clock.now() }))
    }
    return answer
  }

  const finder = createKeyFinder({
    db,
    clock,
    client,
    discover: async (host) => (await getPeer(host)).discovery,
  })

  /** Fetches the keys of a peer that signs, so that they can be shown. */
  async function refreshKeys(host: string): Promise<void> {
    const { discovery } = await getPeer(host)
    if (discovery.capabilities.includes('http-sig')) await finder.refresh(host)
  }

  return {
    /** Asks the peer now, and remembers it. */
    discover: (host: string) => ask(host, true),

    refreshOld: createRefresh({
      db,
      clock,
      async renew(host) {
        await ask(host, true)
        await refreshKeys(host)
      },
    }),

    getPeer,

    /** The peer as it says now; a stranger stays unrecorded. */
    renew: async (host: string) => ask(host, (await findPeer(db, host)) !== undefined),

    ...trust,

    /**
     * The key a peer signs with.
     *
     * @throws PeerError `peer_denied`, `keys_unreachable`.
     */
    async findKey(host: string, keyId: string): Promise<FoundKey> {
      await checkAllowed(host)
      return finder.find(host, keyId)
    },

    /**
     * Posts a JSON message below the peer's `endPoint`, signed if the peer verifies.
     *
     * @throws OutboundError when there is no answer; PeerError `peer_resting`.
     */
    post: (peer: Peer, path: string, message: Record<string, unknown>): Promise<PeerAnswer> =>
      tell(peer, () => post.json(peer.discovery, path, message), inOrder),

    /**
     * Asks the peer's token endpoint for an access token, signed if the peer verifies (OCM, "Token
     * Request").
     *
     * @param clientId `host[:port]` of this server.
     * @throws OutboundError when there is no answer; PeerError `peer_resting`.
     */
    exchange(peer: Peer, url: string, code: string, clientId: string): Promise<PeerAnswer> {
      const fields = { grant_type: 'authorization_code', client_id: clientId, code }
      return tell(peer, () => post.form(peer.discovery, url, fields), isToken)
    },

    /**
     * Any other call to a peer that our users have something to do with, unless it rests.
     *
     * @param isWell whether what came back is the answer of a server in order; undefined: it does
     *   not tell. Nor does an error that is not of the peer or of the way there.
     * @throws PeerError `peer_denied`, `peer_resting`; whatever `work` throws.
     */
    async call<T>(
      host: string,
      work: () => Promise<T>,
      isWell: (result: T) => boolean | undefined,
    ): Promise<T> {
      await checkAllowed(host)
      if (!(await recall(host)).isRecorded) await inTransaction(db, (tx) => recordPeer(tx, host))
      const outcome = await breaker.call(
        host,
        () => work().then((value) => ({ value }), spareTheInnocent),
        (result) => ('value' in result ? isWell(result.value) : undefined),
      )
      if ('value' in outcome) return outcome.value
      throw outcome.error
    },

    /** Somebody wants it to be called now, although it rests. */
    wake: breaker.wake,

    /** Remembers what worked with this peer, beside what is known already. */
    async learn(host: string, learnt: PeerRow['profile']): Promise<void> {
      await inTransaction(db, async (tx) => {
        const profile = { ...(await findPeer(tx, host))?.profile, ...learnt }
        await upsertPeer(tx, host, { profile })
      })
    },

    refreshKeys,

    /** Every peer that is remembered, by host. */
    async list(): Promise<RememberedPeer[]> {
      return (await selectPeers(db)).map(describe)
    },

    /** All that is remembered of a peer. @throws PeerError `bad_host`. */
    async show(text: string): Promise<RememberedPeer> {
      const row = await findPeer(db, parseHost(text))
      if (row !== undefined) return describe(row)
      const message = `Nothing is known of ${text}; try "davmesh peer discover ${text}".`
      throw new PeerError('bad_host', message)
    },
  }
}

/** Errors that say nothing against a peer: ours, or of whoever asked us. */
const ours: ReadonlySet<OutboundErrorCode> = new Set([
  'bad_url',
  'bad_request',
  'no_connection',
  'client_closed',
  'reader_stalled',
])

/** @throws what the peer, or the way there, is to blame for. */
function spareTheInnocent(error: unknown): { error: unknown } {
  if (error instanceof OutboundError && !ours.has(error.code)) throw error
  return { error }
}

/** @throws PeerError `bad_host`. */
export function parseHost(text: string): string {
  const host = parseAuthority(text.replace(/^https?:\/\//i, '').replace(/\/$/, ''))
  if (host !== undefined) return host
  throw new PeerError('bad_host', `"${text}" is no host; it has the form cloud.example.org[:port].`)
}
