import { createPrivateKey, generateKeyPair, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { Clock, Sealer } from '../core/index.ts'
import { inTransaction, type Database } from '../db/index.ts'
import { findLegacyKey, insertLegacyKey, type LegacyKeyRow } from './queries.ts'

/** Signs as draft-cavage peers want it: RSASSA-PKCS1-v1_5 with SHA-512. */
export interface LegacySigner {
  readonly keyId: string
  /** For `publicKey` in our discovery document. */
  readonly publicKeyPem: string
  sign(data: Uint8Array): Uint8Array
}

export interface LegacyKeyDeps {
  db: Database
  clock: Clock
  sealer: Sealer
  /** The key id is `<base>#signature`, the name Nextcloud gives its own. */
  keyIdBase: string
}

const sealContext = (kid: string): string => `legacy_keys.private_pem:${kid}`
const makeKeyPair = promisify(generateKeyPair)

/** Our one RSA key for peers that know nothing newer, made when it is first needed. */
export function createLegacySigner({ db, clock, sealer, keyIdBase }: LegacyKeyDeps) {
  const kid = `${keyIdBase}#signature`
  let opened: Promise<LegacySigner> | undefined

  async function makeKey(): Promise<LegacyKeyRow> {
    const { publicKey, privateKey } = await makeKeyPair('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    const sealedPrivatePem = sealer.seal(privateKey, sealContext(kid))
    const row = { kid, publicPem: publicKey, sealedPrivatePem, createdAt: clock.now() }
    return inTransaction(db, async (tx) => {
      // Another process may have been faster.
      const known = await findLegacyKey(tx, kid)
      if (known === undefined) await insertLegacyKey(tx, row)
      return known ?? row
    })
  }

  async function open(): Promise<LegacySigner> {
    const { publicPem, sealedPrivatePem } = (await findLegacyKey(db, kid)) ?? (await makeKey())
    const privateKey = createPrivateKey(sealer.open(sealedPrivatePem, sealContext(kid)))
    return {
      keyId: kid,
      publicKeyPem: publicPem,
      sign: (data) => sign('sha512', data, privateKey),
    }
  }

  return function legacySigner(): Promise<LegacySigner> {
    opened ??= open().catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }
}
