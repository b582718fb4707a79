import type { Clock, EventHub } from '../core/index.ts'
import { inTransaction, type Database, type Transaction } from '../db/index.ts'
import type { SigningAlgorithm } from './algorithms.ts'
import { KeyError } from './errors.ts'
import {
  publicPart,
  selectKeys,
  selectKeysInStates,
  updateKey,
  type SigningKey,
} from './queries.ts'

/** Stores a key pair that was made before; with an instant it takes over by itself then. */
export type PreparedKey = (tx: Transaction, dueAt?: number | null) => Promise<SigningKey>

export interface RotationDeps {
  readonly db: Database
  readonly clock: Clock
  readonly events: EventHub
  prepareKey(alg: SigningAlgorithm): Promise<PreparedKey>
  /** What the ids of our keys begin with, up to the `#`. */
  readonly keyIdBase: string
  readonly tokenTtlSeconds: number
}

/** Peers remember the keys of others for up to an hour; ours do for ten minutes. */
const peerCacheMs = 3600_000

/** For clocks that differ, and a chore that is late. */
const marginMs = 300_000

/** Signs with `kid` from now on; the former key stays published, until `formerDueAt` if given. */
export async function succeed(
  tx: Transaction,
  kid: string,
  now: number,
  formerDueAt: number | null,
): Promise<string[]> {
  const formers = await selectKeysInStates(tx, ['active'])
  for (const former of formers) {
    const change = { state: 'retiring', retiringAt: now, dueAt: formerDueAt } as const
    await updateKey(tx, former.kid, change)
  }
  await updateKey(tx, kid, { state: 'active', activatedAt: now, dueAt: null })
  return formers.map((former) => former.kid)
}

/** Lets a new key follow the one in use so that no peer ever meets a key it cannot know. */
export function createRotation(deps: RotationDeps) {
  const { db, clock, events, prepareKey, keyIdBase, tokenTtlSeconds } = deps
  const lastTokensMs = Math.max(tokenTtlSeconds * 1000, peerCacheMs) + marginMs

  const tell = (kids: readonly string[], state: SigningKey['state']): void => {
    for (const kid of kids) events.emit('key.state-changed', { kid, state })
  }

  const isOurs = ({ kid }: SigningKey): boolean => kid.startsWith(`${keyIdBase}#`)

  return {
    /**
     * Peers believe a key only under the name it is published at: when `publicUrl` has changed, a
     * new key takes over and the old one stays published; one that has not signed yet never will.
     */
    async ensureNamed(): Promise<void> {
      const inUse = await selectKeysInStates(db, ['staged', 'active'])
      if (inUse.every(isOurs)) return
      const insert = await prepareKey('Ed25519')
      const { activated, retiring, retired } = await inTransaction(db, async (tx) => {
        const now = clock.now()
        const others = (await selectKeysInStates(tx, ['staged', 'active'])).filter(
          (key) => !isOurs(key),
        )
        const over = others.filter(({ state }) => state === 'staged').map(({ kid }) => kid)
        for (const kid of over) {
          await updateKey(tx, kid, { state: 'retired', retiredAt: now, dueAt: null })
        }
        if (others.length === over.length) return { activated: [], retiring: [], retired: over }
        const { kid } = await insert(tx)
        return { activated: [kid], retiring: await succeed(tx, kid, now, null), retired: over }
      })
      tell(activated, 'active')
      tell(retiring, 'retiring')
      tell(retired, 'retired')
    },

    /**
     * Begins a rotation: a key that is published now and signs when every peer must know it.
     * `takeSteps` does the rest.
     *
     * @throws KeyError `rotation_running`.
     */
    async rotate(alg: SigningAlgorithm): Promise<SigningKey> {
      const insert = await prepareKey(alg)
      return inTransaction(db, async (tx) => {
        const published = await selectKeysInStates(tx, ['staged', 'retiring'])
        const waiting = published.find(({ dueAt }) => dueAt !== null)
        if (waiting === undefined) return insert(tx, clock.now() + peerCacheMs + marginMs)
        const until = new Date(waiting.dueAt ?? 0).toISOString()
        const message = `A rotation is under way: ${waiting.kid} is ${waiting.state} until ${until}.`
        throw new KeyError('rotation_running', message)
      })
    },

    /**
     * For a key that somebody else may have: a new one signs at once, and nothing that any earlier
     * one signed is believed any more.
     */
    async rotateNow(alg: SigningAlgorithm): Promise<SigningKey> {
      const insert = await prepareKey(alg)
      const now = clock.now()
      const { key, retired } = await inTransaction(db, async (tx) => {
        const { kid } = await insert(tx)
        const earlier = (await selectKeys(tx)).filter(
          (one) => one.kid !== kid && one.state !== 'retired',
        )
        for (const one of earlier) {
          await updateKey(tx, one.kid, { state: 'retired', retiredAt: now, dueAt: null })
        }
        await succeed(tx, kid, now, null)
        const rows = await selectKeysInStates(tx, ['active'])
        return { key: rows.map(publicPart)[0], retired: earlier.map((one) => one.kid) }
      })
      if (key === undefined) throw new KeyError('no_active_key', 'There is no active signing key.')
      tell([key.kid], 'active')
      tell(retired, 'retired')
      return key
    },

    /** Takes the steps of a rotation that are due. Returns how many keys changed their state. */
    async takeSteps(): Promise<number> {
      const isAnyDue = (keys: readonly SigningKey[]): readonly SigningKey[] =>
        keys.filter(({ dueAt }) => dueAt !== null && dueAt <= clock.now())
      const published = await selectKeysInStates(db, ['staged', 'retiring'])
      if (isAnyDue(published).length === 0) return 0
      const { activated, retiring, retired } = await inTransaction(db, async (tx) => {
        const now = clock.now()
        const due = isAnyDue(await selectKeysInStates(tx, ['staged', 'retiring']))
        const next = due.find((key) => key.state === 'staged' && isOurs(key))
        const former = next ? await succeed(tx, next.kid, now, now + lastTokensMs) : []
        const over = due.filter(({ state }) => state === 'retiring').map(({ kid }) => kid)
        for (const kid of over) {
          await updateKey(tx, kid, { state: 'retired', retiredAt: now, dueAt: null })
        }
        return { activated: next ? [next.kid] : [], retiring: former, retired: over }
      })
      tell(activated, 'active')
      tell(retiring, 'retiring')
      tell(retired, 'retired')
      return activated.length + retiring.length + retired.length
    },
  }
}
