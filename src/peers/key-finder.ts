import { LRUCache } from 'lru-cache'
import type { Clock } from '../core/index.ts'
import { parseJson, type GuardedClient } from '../http/index.ts'
import { findKey, type FoundKey } from '../http-signatures/index.ts'
import { inTransaction, type Database } from '../db/index.ts'
import type { Discovery } from './discovery-document.ts'
import { PeerError } from './errors.ts'
import { findPeer, upsertPeer } from './queries.ts'

interface KeySet {
  jwks: unknown
  fetchedAt: number
}

export interface KeyFinderDeps {
  db: Database
  clock: Clock
  client: GuardedClient
  /** Discovery of the host, cached; may go to the network. */
  discover(host: string): Promise<Discovery>
}

/** A set younger than this is used without asking again. */
const freshMs = 10 * 60_000
/** A set younger than this still serves while the peer cannot be reached. */
const staleMs = 24 * 60 * 60_000
/** An unknown key id makes us ask again at most this often for each peer. */
const refetchMs = 30_000

/**
 * Finds the public key a peer signs with: cached, one fetch at a time for each peer, one forced
 * refetch for an unknown key id (a rotation), never more often than every 30 seconds.
 */
export function createKeyFinder({ db, clock, client, discover }: KeyFinderDeps) {
  const sets = new LRUCache<string, KeySet>({ max: 1000 })
  const fetching = new Map<string, Promise<KeySet>>()
  const failedAt = new LRUCache<string, number>({ max: 1000 })

  async function ask(host: string): Promise<KeySet> {
    try {
      const discovery = await discover(host)
      // Draft-05 peers publish their keys at the well-known path and do not say so.
      const url = discovery.jwksUri ?? new URL('/.well-known/jwks.json', discovery.endPoint).href
      const headers = { accept: 'application/jwk-set+json, application/json' }
      const answer = await client.request({ method: 'GET', url, headers })
      if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`)
      return { jwks: parseJson(answer.body), fetchedAt: clock.now() }
    } catch (cause) {
      failedAt.set(host, clock.now())
      const message = `The signature keys of ${host} could not be fetched.`
      throw new PeerError('keys_unreachable', message, { cause })
    }
  }

  async function fetchKeySet(host: string): Promise<KeySet> {
    const set = await ask(host)
    sets.set(host, set)
    // Strangers must not fill the table; their keys are remembered in `sets` alone.
    if ((await findPeer(db, host)) !== undefined) {
      const found = { jwks: set.jwks, jwksFetchedAt: set.fetchedAt }
      await inTransaction(db, (tx) => upsertPeer(tx, host, found))
    }
    return set
  }

  function fetchOnce(host: string): Promise<KeySet> {
    let flight = fetching.get(host)
    if (flight === undefined) {
      flight = fetchKeySet(host).finally(() => fetching.delete(host))
      fetching.set(host, flight)
    }
    return flight
  }

  async function knownSet(host: string): Promise<KeySet | undefined> {
    const known = sets.get(host)
    if (known !== undefined) return known
    const row = await findPeer(db, host)
    if (row?.jwksFetchedAt == null) return undefined
    const set = { jwks: row.jwks, fetchedAt: row.jwksFetchedAt }
    sets.set(host, set)
    return set
  }

  async function find(host: string, keyId: string): Promise<FoundKey> {
    const now = clock.now()
    const known = await knownSet(host)
    const age = known === undefined ? Infinity : now - known.fetchedAt
    const found = known && findKey(known.jwks, keyId)
    if (found?.status === 'found' && age < freshMs) return found

    const lastFailure = now - (failedAt.get(host) ?? -Infinity)
    const mayAsk = Math.min(age, lastFailure) >= refetchMs
    if (found !== undefined && !mayAsk) return found
    if (!mayAsk) {
      throw new PeerError(
        'keys_unreachable',
        `The signature keys of ${host} cannot be fetched now.`,
      )
    }
    try {
      return findKey((await fetchOnce(host)).jwks, keyId)
    } catch (error) {
      if (found?.status === 'found' && age < staleMs) return found
      throw error
    }
  }
  return {
    /** @throws PeerError `keys_unreachable` when the keys are needed and cannot be had. */
    find,
    /** Asks the peer now. */
    async refresh(host: string): Promise<void> {
      await fetchOnce(host)
    },
  }
}
