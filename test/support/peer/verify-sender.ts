/** How the independent peer checks what our server signed: RFC 9421 by hand, keys fetched from us. */
import { createHash, createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { request } from '../http-request.ts'
import { verifyLegacy } from './cavage.ts'

export interface ReceivedMessage {
  readonly method: string
  /** As this peer knows itself, plus the raw target. */
  readonly targetUri: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

export type SenderVerdict =
  | {
      readonly ok: true
      readonly keyId: string
      readonly components: readonly string[]
      readonly parameters: string
    }
  | { readonly ok: false; readonly reason: string }

const no = (reason: string): SenderVerdict => ({ ok: false, reason })

export async function verifySender(message: ReceivedMessage): Promise<SenderVerdict> {
  const { headers } = message
  if (headers['signature'] !== undefined && headers['signature-input'] === undefined) {
    return verifyLegacy(message, await fetchLegacyKey(headers['signature']))
  }
  const [, label, list, parameters = ''] =
    /^([a-z][a-z0-9]*)=\(([^)]*)\)(;.*)$/.exec(headers['signature-input'] ?? '') ?? []
  if (label === undefined || list === undefined) return no('unsigned')
  const [, signature = ''] =
    /^[a-z][a-z0-9]*=:([A-Za-z0-9+/=]+):$/.exec(headers['signature'] ?? '') ?? []
  const [, keyId = ''] = /;keyid="([^"]+)"/.exec(parameters) ?? []
  if (signature === '' || keyId === '') return no('malformed signature')
  const digest = createHash('sha256').update(message.body).digest('base64')
  if (headers['content-digest'] !== `sha-256=:${digest}:`) return no('digest')
  if (headers['content-length'] !== String(Buffer.byteLength(message.body))) return no('length')

  const components = list.split(' ')
  const lines = components.map((id) => `${id}: ${valueOf(id.slice(1, -1), message)}`)
  const base = [...lines, `"@signature-params": (${list})${parameters}`].join('\n')
  const jwk = await fetchJwk(keyId).catch(() => undefined)
  if (jwk === undefined) return no('key not published')
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const bytes = Buffer.from(signature, 'base64')
  const good =
    key.asymmetricKeyType === 'ed25519'
      ? verify(null, Buffer.from(base), key, bytes)
      : verify('sha256', Buffer.from(base), { key, dsaEncoding: 'ieee-p1363' }, bytes)
  return good ? { ok: true, keyId, components, parameters } : no('signature')
}

function valueOf(name: string, { method, targetUri, headers }: ReceivedMessage): string {
  if (name === '@method') return method
  return name === '@target-uri' ? targetUri : (headers[name] ?? '')
}

/** The key as its owner publishes it: discovery at the key id's origin, then `jwksUri`. */
async function fetchJwk(keyId: string): Promise<JsonWebKey | undefined> {
  const discovery = await request(new URL('/.well-known/ocm', keyId).href)
  const { jwksUri } = discovery.json() as { jwksUri: string }
  const { keys } = (await request(jwksUri)).json() as { keys: (JsonWebKey & { kid: string })[] }
  return keys.find(({ kid }) => kid === keyId)
}

/** The RSA key as its owner publishes it: in discovery at the key id's origin. */
async function fetchLegacyKey(signature: string) {
  const [, keyId = ''] = /keyId="([^"]+)"/.exec(signature) ?? []
  const discovery = await request(new URL('/.well-known/ocm', keyId).href)
  return (discovery.json() as { publicKey?: { keyId: string; publicKeyPem: string } }).publicKey
}
