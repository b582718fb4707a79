import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from 'jose'
import { AppError, type Clock, type EventHub, type Sealer } from '../core/index.ts'
import { inTransaction, type Database } from '../db/index.ts'
import { algorithmFacts, type HttpAlgorithm, type SigningAlgorithm } from './algorithms.ts'
import { KeyError } from './errors.ts'
import { createLegacySigner } from './legacy.ts'
import { createRotation, succeed, type PreparedKey } from './rotation.ts'
import {
  findActiveKid,
  findKeyRow,
  hasSigningKeys,
  insertKey,
  publicPart,
  selectKeys,
  selectKeysInStates,
  updateKey,
  type SigningKey,
  type SigningKeyRow,
  type SigningKeyState,
} from './queries.ts'

/** Signs bytes for HTTP message signatures. */
export interface MessageSigner {
  readonly keyId: string
  /** RFC 9421 registry name. */
  readonly algorithm: HttpAlgorithm
  sign(data: Uint8Array): Uint8Array
}

export interface KeysDeps {
  db: Database
  clock: Clock
  events: EventHub
  sealer: Sealer
  /** Key ids are `<base>#key-<n>`. */
  keyIdBase: string
  /** How long a token lives that a key has signed. */
  tokenTtlSeconds: number
}

export type Keys = ReturnType<typeof createKeys>

interface LoadedKey {
  alg: SigningAlgorithm
  privateKey: KeyObject
}

const sealContext = (kid: string): string => `signing_keys.private_jwk:${kid}`

/** Published: peers must find the next key before it is used and the last one after. */
const publishedStates: SigningKeyState[] = ['staged', 'active', 'retiring']

export function createKeys(deps: KeysDeps) {
  const { db, clock, events, sealer, keyIdBase, tokenTtlSeconds } = deps
  /** Private keys never change under their kid, so opening them once is enough. */
  const loaded = new Map<string, LoadedKey>()
  const publicKeys = new Map<string, { alg: SigningAlgorithm; key: KeyObject }>()

  async function getKey(kid: string): Promise<SigningKeyRow> {
    const row = await findKeyRow(db, kid)
    if (row !== undefined) return row
    throw new KeyError('key_not_found', `There is no key "${kid}"; "davmesh key list" shows them.`)
  }

  async function activeKey(): Promise<LoadedKey & { kid: string }> {
    const kid = await findActiveKid(db)
    if (kid === undefined) {
      throw new KeyError('no_active_key', 'There is no active signing key; activate one.')
    }
    let key = loaded.get(kid)
    if (key === undefined) {
      const row = await getKey(kid)
      const jwk = JSON.parse(sealer.open(row.sealedPrivateJwk, sealContext(kid))) as JWK
      key = { alg: row.alg, privateKey: createPrivateKey({ key: jwk, format: 'jwk' }) }
      loaded.set(kid, key)
    }
    return { kid, ...key }
  }

  async function changeState(kid: string, change: Partial<SigningKeyRow>): Promise<SigningKey> {
    await inTransaction(db, (tx) => updateKey(tx, kid, change))
    const key = publicPart(await getKey(kid))
    events.emit('key.state-changed', { kid, state: key.state })
    return key
  }

  /** A new key pair, and how to store it: numbered in the transaction that stores it. */
  async function prepareKey(alg: SigningAlgorithm): Promise<PreparedKey> {
    const pair = await generateKeyPair(alg, { extractable: true })
    const [publicJwk, privateJwk] = await Promise.all([
      exportJWK(pair.publicKey),
      exportJWK(pair.privateKey),
    ])
    return async (tx, dueAt = null) => {
      const kid = `${keyIdBase}#key-${(await selectKeys(tx)).length + 1}`
      const row: SigningKeyRow = {
        kid,
        alg,
        publicJwk: { ...publicJwk, kid, use: 'sig', alg },
        sealedPrivateJwk: sealer.seal(JSON.stringify(privateJwk), sealContext(kid)),
        state: 'staged',
        createdAt: clock.now(),
        activatedAt: null,
        retiringAt: null,
        retiredAt: null,
        dueAt,
      }
      await insertKey(tx, row)
      events.emit('key.state-changed', { kid, state: 'staged' })
      return publicPart(row)
    }
  }

  /** Signs with `kid` from now on; the key used until now stays published as retiring. */
  async function activate(kid: string): Promise<SigningKey> {
    const row = await getKey(kid)
    if (row.state !== 'staged') {
      throw new KeyError(
        'key_state',
        `Key "${kid}" is ${row.state}; only a staged key is activated.`,
      )
    }
    const now = clock.now()
    await inTransaction(db, async (tx) => {
      await succeed(tx, kid, now, null)
    })
    events.emit('key.state-changed', { kid, state: 'active' })
    return publicPart(await getKey(kid))
  }

  return {
    /** Makes and publishes a key that signs nothing yet. */
    async generate(alg: SigningAlgorithm): Promise<SigningKey> {
      return inTransaction(db, await prepareKey(alg))
    },

    activate,

    ...createRotation({ db, clock, events, prepareKey, keyIdBase, tokenTtlSeconds }),

    /** Unpublishes a key at once: nothing signed with it is believed any more. */
    async retire(kid: string): Promise<SigningKey> {
      const { state } = await getKey(kid)
      if (state === 'active') {
        const message = `Key "${kid}" is active; first generate and activate another.`
        throw new KeyError('key_state', message)
      }
      if (state === 'retired') return publicPart(await getKey(kid))
      return changeState(kid, { state: 'retired', retiredAt: clock.now(), dueAt: null })
    },

    /** Makes and activates a first key where there is none. */
    async ensureActive(): Promise<void> {
      if ((await findActiveKid(db)) !== undefined) return
      const insert = await prepareKey('Ed25519')
      const first = await inTransaction(db, async (tx) =>
        (await hasSigningKeys(tx)) ? undefined : insert(tx),
      )
      if (first !== undefined) await activate(first.kid)
    },

    /** @throws AppError `secret_key_wrong` when `secret.key` is not what our keys are sealed with. */
    async ensureOpen(secretKeyFile: string): Promise<void> {
      try {
        await activeKey()
      } catch (cause) {
        if (!(cause instanceof AppError) || cause.code !== 'unsealable') throw cause
        const message = `The key ${secretKeyFile} is not the one this database was sealed with; restore that from the backup.`
        throw new AppError('unavailable', 'secret_key_wrong', message)
      }
    },

    list: async (): Promise<SigningKey[]> => (await selectKeys(db)).map(publicPart),

    /** RFC 7517 §5: the JWK Set of every key a peer may meet. */
    async jwks(): Promise<{ keys: Record<string, unknown>[] }> {
      const rows = await selectKeysInStates(db, publishedStates)
      return { keys: rows.map((row) => row.publicJwk) }
    },

    /** Signs HTTP messages with the active key. */
    async messageSigner(): Promise<MessageSigner> {
      const { kid, alg, privateKey } = await activeKey()
      const { httpName, sign } = algorithmFacts[alg]
      return { keyId: kid, algorithm: httpName, sign: (data) => sign(data, privateKey) }
    },

    /** Signs HTTP messages for peers of the draft-cavage time. */
    legacySigner: createLegacySigner(deps),

    /** Signs a JWT of the given `typ` with the active key. */
    async signJwt(typ: string, claims: JWTPayload): Promise<{ jwt: string; kid: string }> {
      const { kid, alg, privateKey } = await activeKey()
      const jwt = await new SignJWT(claims).setProtectedHeader({ alg, kid, typ }).sign(privateKey)
      return { jwt, kid }
    },

    /** The key to verify our own JWTs with; `undefined` for a kid that is not ours. */
    async verificationKey(
      kid: string,
    ): Promise<{ alg: SigningAlgorithm; key: KeyObject } | undefined> {
      const known = publicKeys.get(kid)
      if (known !== undefined) return known
      const row = await findKeyRow(db, kid)
      if (row === undefined) return undefined
      const key = createPublicKey({ key: row.publicJwk as JWK, format: 'jwk' })
      publicKeys.set(kid, { alg: row.alg, key })
      return { alg: row.alg, key }
    },
  }
}
