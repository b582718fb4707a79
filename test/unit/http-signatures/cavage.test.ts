import { describe, expect, it } from '@jest/globals'
import { createHash, createPublicKey, sign, verify } from 'node:crypto'
import {
  inspectCavage,
  signCavage,
  verifyCavage,
  type InspectedCavage,
} from '../../../src/http-signatures/index.ts'
import {
  legacyOrder,
  newLegacyKey,
  signLegacy,
  type LegacyKey,
  type LegacyRecipe,
} from '../../support/peer/cavage.ts'
import { readFixture } from './signed-request.ts'

interface Captured {
  readonly method: string
  readonly url: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly signingString: string
  readonly publicKey: { readonly keyId: string; readonly publicKeyPem: string }
  readonly now: number
}

const captured = readFixture('signatures/cavage-nextcloud.json') as Captured
const { publicKey, now } = captured
const url = 'https://ours.example.org/ocm/shares?x=1'
const body = '{"shareWith":"marie@ours.example.org"}'
const key = newLegacyKey('https://nc1.example.org/ocm#signature')

const inspect = (
  headers: Readonly<Record<string, string>>,
  { targetUri = url, text = body, method = 'POST' } = {},
) =>
  inspectCavage(
    {
      method,
      targetUri,
      rawHeaders: Object.entries(headers).flat(),
      body: Buffer.from(text),
    },
    { nowSeconds: now, maxAgeSeconds: 300, maxSkewSeconds: 60 },
  )

const signed = (recipe: LegacyRecipe = {}, at = now, by: LegacyKey = key) =>
  signLegacy({ method: 'POST', targetUri: url, body }, by, at, recipe)

/** `unsigned`, why it was refused, or what its verification says. */
function outcome(
  headers: Readonly<Record<string, string>>,
  message: Parameters<typeof inspect>[1] = {},
  pem: string = key.publicKey.publicKeyPem,
): string {
  const inspection = inspect(headers, message)
  if (inspection.status === 'unsigned') return 'unsigned'
  if (inspection.status === 'refused') return inspection.reason
  const verdict = verifyCavage(inspection.signature, pem)
  return verdict.ok ? 'verified' : verdict.reason
}

const digest = (name: 'sha256' | 'sha512' | 'md5', text = body) =>
  createHash(name).update(text).digest('base64')

describe('a draft-cavage signature', () => {
  it('of a Nextcloud is verified, and its signing string rebuilt', () => {
    const inspection = inspect(captured.headers, { targetUri: captured.url, text: captured.body })
    if (inspection.status !== 'inspected') throw new Error(inspection.status)
    const { signature } = inspection
    expect(Buffer.from(signature.base).toString()).toBe(captured.signingString)
    expect(signature.keyId).toBe(publicKey.keyId)
    expect(verifyCavage(signature, publicKey.publicKeyPem)).toEqual({ ok: true })
  })

  it.each<[string, LegacyRecipe]>([
    ['as Nextcloud signs', {}],
    ['with rsa-sha256', { algorithm: 'rsa-sha256' }],
    ['in another order', { order: [...legacyOrder].reverse() }],
    ['without content-length', { order: legacyOrder.filter((name) => name !== 'content-length') }],
    ['with more fields', { order: [...legacyOrder, 'x-more'], fields: { 'x-more': 'more' } }],
    ['with a SHA-256 digest', { fields: { digest: `sha-256=${digest('sha256')}` } }],
    [
      'with two digests and an unknown one',
      {
        fields: {
          digest: `SHA-256=${digest('sha256')}, SHA-512=${digest('sha512')},X=${digest('md5')}`,
        },
      },
    ],
    ['with the default port in Host', { fields: { host: 'ours.example.org:443' } }],
    ['with another parameter', { parameters: { created: '1' } }],
  ])('is verified %s', (_name, recipe) => {
    expect(outcome(signed(recipe))).toBe('verified')
  })

  it.each([
    ['300 s old', -300, 'verified'],
    ['301 s old', -301, 'created_stale'],
    ['60 s ahead', 60, 'verified'],
    ['61 s ahead', 61, 'created_future'],
  ])('%s: %s s is %s', (_name, offset, expected) => {
    expect(outcome(signed({}, now + offset))).toBe(expected)
  })

  it.each(['(request-target)', 'date', 'digest', 'host'])('must cover %s', (name) => {
    const order = legacyOrder.filter((covered) => covered !== name)
    expect(outcome(signed({ order }))).toBe('component_missing')
  })

  it.each<[string, LegacyRecipe, string]>([
    [
      'the digest of another body',
      { fields: { digest: `SHA-512=${digest('sha512', 'x')}` } },
      'digest_mismatch',
    ],
    [
      'one right and one wrong digest',
      { fields: { digest: `SHA-512=${digest('sha512')},SHA-256=${digest('sha256', 'x')}` } },
      'digest_mismatch',
    ],
    ['only an old digest', { fields: { digest: `MD5=${digest('md5')}` } }, 'digest_unsupported'],
    [
      'the same digest twice',
      { fields: { digest: `SHA-512=${digest('sha512')},sha-512=${digest('sha512')}` } },
      'digest_duplicate',
    ],
    ['a digest that is none', { fields: { digest: 'SHA-512' } }, 'digest_malformed'],
    ['another length', { fields: { 'content-length': '5' } }, 'length_mismatch'],
    ['another Host', { fields: { host: 'evil.example.org' } }, 'host_mismatch'],
    ['another port', { fields: { host: 'ours.example.org:8443' } }, 'host_mismatch'],
    ['a Date in another form', { fields: { date: '2024-11-05T14:00:10Z' } }, 'date_invalid'],
    ['a field that was not sent', { order: [...legacyOrder, 'x-absent'] }, 'component_absent'],
    ['a field twice', { order: [...legacyOrder, 'date'] }, 'component_duplicate'],
    ['(created)', { order: [...legacyOrder, '(created)'] }, 'component_absent'],
    [
      'a field beyond ASCII',
      { order: [...legacyOrder, 'x-name'], fields: { 'x-name': 'Zoë' } },
      'component_unsignable',
    ],
    ['an HMAC', { parameters: { algorithm: 'hmac-sha256' } }, 'alg_unsupported'],
    ['SHA-1', { parameters: { algorithm: 'rsa-sha1' } }, 'alg_unsupported'],
    ['no algorithm', { parameters: { algorithm: undefined } }, 'alg_unsupported'],
    ['hs2019', { parameters: { algorithm: 'hs2019' } }, 'alg_unsupported'],
    ['an empty keyId', { parameters: { keyId: '' } }, 'keyid_invalid'],
    ['a keyId of 3 KiB', { parameters: { keyId: 'k'.repeat(3000) } }, 'keyid_invalid'],
    ['8 KiB of parameters', { parameters: { more: 'm'.repeat(8192) } }, 'fields_too_large'],
    ['a truncated signature', { parameters: { signature: 'AAAA' } }, 'signature_length'],
    ['the other algorithm', { parameters: { algorithm: 'rsa-sha256' } }, 'signature_wrong'],
  ])('is refused with %s', (_name, recipe, reason) => {
    expect(outcome(signed(recipe))).toBe(reason)
  })

  it('is refused with a parameter twice', () => {
    const { signature = '', ...fields } = signed()
    expect(outcome({ ...fields, signature: `${signature},keyId="k"` })).toBe('fields_duplicate')
  })

  it.each([
    ['another path', { targetUri: 'https://ours.example.org/ocm/notifications?x=1' }],
    ['another query', { targetUri: 'https://ours.example.org/ocm/shares' }],
    ['another method', { method: 'PUT' }],
  ])('is wrong for %s', (_name, message) => {
    expect(outcome(signed(), message)).toBe('signature_wrong')
  })

  it('is refused for another body, before any key is looked at', () => {
    expect(outcome(signed(), { text: 'x' })).toBe('digest_mismatch')
  })

  it.each([
    ['nothing', {}],
    ['a Signature-Input beside it', { ...signed(), 'signature-input': 'x=()' }],
    ['unquoted parameters', { signature: 'keyId=k,algorithm=a,headers=date,signature=AAAA' }],
    ['an RFC 9421 dictionary', { signature: 'ocm=:AAAA:' }],
    ['no headers parameter', signed({ parameters: { headers: undefined } })],
    ['no signature parameter', signed({ parameters: { signature: undefined } })],
    // The OCM stub: names joined by commas, no parentheses (peers.md §4.3).
    [
      'field names joined by commas',
      signed({ parameters: { headers: 'request-target,content-length,host,date,digest' } }),
    ],
  ])('is none at all: %s', (_name, headers) => {
    expect(outcome(headers)).toBe('unsigned')
  })

  it('costs little, however it is malformed', () => {
    const signature = 'a="'.repeat(2700)
    expect(outcome({ signature })).toBe('unsigned')
    expect(outcome({ signature: 'a="",'.repeat(1600) })).toBe('fields_duplicate')
  })
})

describe('the key of a draft-cavage signature', () => {
  const inspected = (by: LegacyKey): InspectedCavage => {
    const inspection = inspect(signed({}, now, by))
    if (inspection.status !== 'inspected') throw new Error(inspection.status)
    return inspection.signature
  }
  const short = newLegacyKey(key.keyId, 1024)
  const privatePem = String(key.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const pkcs1 = createPublicKey(key.publicKey.publicKeyPem)
    .export({ type: 'pkcs1', format: 'pem' })
    .toString()
  const ed25519 =
    '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAlmctRKzAq7Of2UtYC3IhRHuro0t/cGTtyypXmByTkNo=\n-----END PUBLIC KEY-----\n'

  it.each([
    ['may be PKCS#1', key, pkcs1, undefined],
    ['may not be of 1024 bits', short, short.publicKey.publicKeyPem, 'key_size'],
    ['may not be private', key, privatePem, 'key_malformed'],
    ['may not be Ed25519', key, ed25519, 'key_alg_mismatch'],
    ['may not be text', key, 'key', 'key_malformed'],
    ['may not be cut', key, key.publicKey.publicKeyPem.slice(0, 200), 'key_malformed'],
    ['may not be that of another', key, publicKey.publicKeyPem, 'signature_wrong'],
  ])('%s', (_name, by, pem, reason) => {
    const verdict = verifyCavage(inspected(by), pem)
    expect(verdict).toEqual(reason === undefined ? { ok: true } : { ok: false, reason })
  })
})

describe('signing in the draft-cavage form', () => {
  const signer = {
    keyId: key.keyId,
    sign: (data: Uint8Array) => sign('sha512', data, key.privateKey),
  }
  const message = { method: 'POST', targetUri: url, body: Buffer.from(body) }
  const date = new Date(now * 1000).toUTCString()

  it('has the form of Nextcloud, byte for byte', () => {
    const { host, ...theirs } = signed()
    expect(host).toBe('ours.example.org')
    expect(signCavage(message, signer, date)).toEqual(theirs)
  })

  it('signs the Host that goes over the wire, without the default port', () => {
    const targetUri = 'https://ours.example.org:443/ocm/shares'
    const { signature, ...fields } = signCavage({ ...message, targetUri }, signer, date)
    const [, bytes = ''] = /,signature="([^"]+)"$/.exec(signature) ?? []
    const base = `(request-target): post /ocm/shares\ncontent-length: ${body.length}\ndate: ${date}\ndigest: ${fields.digest}\nhost: ours.example.org`
    const good = verify(
      'sha512',
      Buffer.from(base),
      key.publicKey.publicKeyPem,
      Buffer.from(bytes, 'base64'),
    )
    expect(good).toBe(true)
  })
})
