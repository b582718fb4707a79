/**
 * An HTTP message signer written from RFC 9421 and RFC 9530 with node:crypto alone, so that the
 * server under test is never checked against itself. Everything can be made wrong on purpose.
 */
import { createHash, generateKeyPairSync, sign, type JsonWebKey, type KeyObject } from 'node:crypto'

export type PeerAlgorithm = 'Ed25519' | 'ES256'

export interface PeerKey {
  readonly keyId: string
  readonly algorithm: PeerAlgorithm
  readonly privateKey: KeyObject
  /** As the JWK Set publishes it. */
  readonly jwk: JsonWebKey & { kid: string; alg: string; use: string }
}

export function newPeerKey(keyId: string, algorithm: PeerAlgorithm = 'Ed25519'): PeerKey {
  const { publicKey, privateKey } =
    algorithm === 'Ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: keyId, use: 'sig', alg: algorithm }
  return { keyId, algorithm, privateKey, jwk }
}

export interface Message {
  readonly method: string
  readonly targetUri: string
  readonly body: string | Uint8Array
}

/** What to do otherwise than the standard and OCM say. */
export interface Recipe {
  readonly label?: string
  /** Component identifiers as serialised, quotes and parameters included. */
  readonly components?: readonly string[]
  /** Epoch seconds. */
  readonly created?: number
  /** Signature parameters as serialised; `undefined` leaves one out, others are added. */
  readonly parameters?: Readonly<Record<string, string | undefined>>
  /** Replaces or adds fields before signing; they are sent too. */
  readonly fields?: Readonly<Record<string, string>>
  /** RFC 9421 §3.3.4 wants ECDSA as r‖s; DER is what most libraries give. */
  readonly encoding?: 'raw' | 'der'
  /** Whose bytes are signed with, when not the key of `keyid`. */
  readonly signWith?: KeyObject
}

export const fourComponents = ['"@method"', '"@target-uri"', '"content-digest"', '"content-length"']

/** RFC 9530 §2, sha-256 only. */
export const digestOf = (body: string | Uint8Array): string =>
  `sha-256=:${createHash('sha256').update(body).digest('base64')}:`

export interface Signed {
  /** All fields of the request that the signature needs. */
  readonly headers: Readonly<Record<string, string>>
  /** RFC 9421 §2.5. */
  readonly base: string
}

export function signMessage(
  message: Message,
  key: PeerKey,
  now: number,
  recipe: Recipe = {},
): Signed {
  const { label = 'ocm', components = fourComponents, created = now } = recipe
  const fields: Record<string, string> = {
    'content-digest': digestOf(message.body),
    'content-length': String(Buffer.byteLength(message.body)),
    ...recipe.fields,
  }
  const parameters: Record<string, string | undefined> = {
    created: String(created),
    keyid: `"${key.keyId}"`,
    alg: key.algorithm === 'Ed25519' ? '"ed25519"' : '"ecdsa-p256-sha256"',
    tag: '"ocm"',
    ...recipe.parameters,
  }
  const shown = Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `;${name}=${value ?? ''}`)
  const input = `(${components.join(' ')})${shown.join('')}`
  const lines = components.map((id) => `${id}: ${componentValue(id, message, fields)}`)
  const base = [...lines, `"@signature-params": ${input}`].join('\n')
  const bytes = signBytes(base, recipe.signWith ?? key.privateKey, recipe.encoding ?? 'raw')
  return {
    base,
    headers: {
      ...fields,
      'signature-input': `${label}=${input}`,
      signature: `${label}=:${bytes.toString('base64')}:`,
    },
  }
}

export function signBytes(base: string, key: KeyObject, encoding: 'raw' | 'der' = 'raw'): Buffer {
  const data = Buffer.from(base)
  if (key.asymmetricKeyType === 'ed25519') return sign(null, data, key)
  if (key.asymmetricKeyType === 'rsa') return sign('sha256', data, key)
  return sign('sha256', data, {
    key,
    dsaEncoding: encoding === 'raw' ? 'ieee-p1363' : 'der',
  })
}

/** RFC 9421 §2.1, §2.2; parameterised variants get the value their parameter asks for. */
function componentValue(
  identifier: string,
  { method, targetUri }: Message,
  fields: Readonly<Record<string, string>>,
): string {
  const name = identifier.split('"')[1] ?? ''
  const url = new URL(targetUri)
  switch (name.toLowerCase()) {
    case '@method':
      return method
    case '@target-uri':
      return targetUri
    case '@authority':
      return url.host
    case '@path':
      return url.pathname
  }
  const value = fields[name.toLowerCase()] ?? ''
  if (identifier.endsWith(';bs')) return `:${Buffer.from(value).toString('base64')}:`
  const [, member] = /;key="([^"]+)"/.exec(identifier) ?? []
  return member === undefined ? value : value.slice(member.length + 1)
}
