/**
 * draft-cavage-http-signatures-12 as Nextcloud 31 to 34 speak it, written from peers' traffic with
 * node:crypto alone. Everything can be made wrong on purpose.
 */
import { createHash, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto'
import type { Message } from './signing.ts'
import type { ReceivedMessage, SenderVerdict } from './verify-sender.ts'

export interface LegacyKey {
  readonly keyId: string
  readonly privateKey: KeyObject
  /** As the discovery document publishes it. */
  readonly publicKey: { keyId: string; publicKeyPem: string }
}

export function newLegacyKey(keyId: string, modulusLength = 2048): LegacyKey {
  const pair = generateKeyPairSync('rsa', { modulusLength })
  const publicKeyPem = String(pair.publicKey.export({ type: 'spki', format: 'pem' }))
  return { keyId, privateKey: pair.privateKey, publicKey: { keyId, publicKeyPem } }
}

export interface LegacyRecipe {
  readonly algorithm?: 'rsa-sha256' | 'rsa-sha512'
  /** The covered fields. */
  readonly order?: readonly string[]
  /** Replaces or adds fields before signing; they are sent too. */
  readonly fields?: Readonly<Record<string, string>>
  /** The parameters of `Signature`; `undefined` leaves one out. */
  readonly parameters?: Readonly<Record<string, string | undefined>>
}

export const legacyOrder = ['(request-target)', 'content-length', 'date', 'digest', 'host']

/** The fields of a signed request, `Host` included. */
export function signLegacy(
  { method, targetUri, body }: Message,
  key: LegacyKey,
  nowSeconds: number,
  recipe: LegacyRecipe = {},
): Record<string, string> {
  const { algorithm = 'rsa-sha512', order = legacyOrder } = recipe
  const url = new URL(targetUri)
  const fields: Record<string, string> = {
    'content-length': String(Buffer.byteLength(body)),
    date: new Date(nowSeconds * 1000).toUTCString(),
    digest: `SHA-512=${createHash('sha512').update(body).digest('base64')}`,
    host: url.host,
    ...recipe.fields,
  }
  const target = `${method.toLowerCase()} ${url.pathname}${url.search}`
  const lines = order.map(
    (name) => `${name}: ${name === '(request-target)' ? target : (fields[name] ?? '')}`,
  )
  const bytes = sign(algorithm.slice(4), Buffer.from(lines.join('\n')), key.privateKey)
  const parameters: Record<string, string | undefined> = {
    keyId: key.keyId,
    algorithm,
    headers: order.join(' '),
    signature: bytes.toString('base64'),
    ...recipe.parameters,
  }
  const shown = Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}="${value ?? ''}"`)
  return { ...fields, signature: shown.join(',') }
}

const no = (reason: string): SenderVerdict => ({ ok: false, reason })

/** What a Nextcloud thinks of a message; `publicKey` is that of the discovery at the key's host. */
export function verifyLegacy(
  { method, targetUri, headers, body }: ReceivedMessage,
  publicKey: { keyId: string; publicKeyPem: string } | undefined,
): SenderVerdict {
  const [, keyId = '', algorithm = '', list = '', signature = ''] =
    /^keyId="([^"]+)",algorithm="([^"]+)",headers="([^"]+)",signature="([^"]+)"$/.exec(
      headers['signature'] ?? '',
    ) ?? []
  if (publicKey === undefined || publicKey.keyId !== keyId) return no('key not published')
  const digest = createHash('sha512').update(body).digest('base64')
  if (headers['digest'] !== `SHA-512=${digest}`) return no('digest')
  if (headers['content-length'] !== String(Buffer.byteLength(body))) return no('length')
  const { pathname, search, host } = new URL(targetUri)
  if (headers['host'] !== host) return no('host')
  const components = list.split(' ')
  const target = `${method.toLowerCase()} ${pathname}${search}`
  const lines = components.map(
    (name) => `${name}: ${name === '(request-target)' ? target : (headers[name] ?? '')}`,
  )
  const data = Buffer.from(lines.join('\n'))
  const good =
    algorithm === 'rsa-sha512' &&
    verify('sha512', data, publicKey.publicKeyPem, Buffer.from(signature, 'base64'))
  return good ? { ok: true, keyId, components, parameters: algorithm } : no('signature')
}
