import { describe, expect, it } from '@jest/globals'
import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { findKey, verifySignature, type Jwk } from '../../../src/http-signatures/index.ts'
import { readFixture } from './signed-request.ts'

const negative = readFixture('jwks/negative.json') as Record<string, { keys: Jwk[] }>
const vectors = readFixture('jwks/alg-vectors.json') as {
  accept: [kty: string, crv: string, alg: string, registryName: string][]
  reject: [kty: string, crv: string, alg: string][]
  signatureInputAlgReject: string[]
}

const exported: Readonly<Record<string, JsonWebKey>> = {
  Ed25519: generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }),
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' }),
  '': generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }),
}

/** What a key says to a signature that is never right. */
function judge(jwk: Jwk, alg?: string): string {
  const signature = { base: new Uint8Array(), bytes: new Uint8Array(1), ...(alg && { alg }) }
  const verdict = verifySignature(signature, jwk)
  return verdict.ok ? 'ok' : verdict.reason
}

describe('finding a key', () => {
  const jwks = { keys: [{ kid: 'a', n: 1 }, 'noise', null, { kid: 'b' }, { kid: 'b' }, {}] }

  it.each([
    ['the exact kid', jwks, 'a', 'found'],
    ['another case', jwks, 'A', 'missing'],
    ['a prefix', { keys: [{ kid: 'https://h/ocm#key-1' }] }, 'https://h/ocm#key', 'missing'],
    ['a kid that stands twice', jwks, 'b', 'ambiguous'],
    ['the corpus set with one kid twice (C10)', negative['duplicate-kid'], 'k', 'ambiguous'],
    ['an empty set', { keys: [] }, 'a', 'missing'],
    ['no set', { keys: 'a' }, 'a', 'malformed'],
    ['a bare key', { kid: 'a' }, 'a', 'malformed'],
    ['an array', [{ kid: 'a' }], 'a', 'malformed'],
    ['null', null, 'a', 'malformed'],
    ['a text', 'keys', 'a', 'malformed'],
  ])('in %s', (_name, set, keyId, status) => {
    expect(findKey(set, keyId).status).toBe(status)
  })

  it('returns the key as published', () => {
    expect(findKey(jwks, 'a')).toEqual({ status: 'found', jwk: { kid: 'a', n: 1 } })
  })
})

describe('the algorithm of a key', () => {
  it.each(vectors.accept)('%s %s with alg %s is %s', (_kty, crv, alg, registryName) => {
    // The key is accepted: what is wrong is only the signature's length.
    expect(judge({ ...exported[crv], alg }, registryName)).toBe('signature_length')
    expect(judge({ ...exported[crv], alg })).toBe('signature_length')
  })

  it.each(vectors.reject)('%s %s with alg "%s" is refused', (_kty, crv, alg) => {
    expect(judge({ ...exported[crv], alg })).toMatch(/^key_alg_/)
  })

  it.each(vectors.signatureInputAlgReject)('is never named %s by a signature (C9)', (alg) => {
    for (const [kty, crv, keyAlg] of vectors.accept) {
      expect([kty, judge({ ...exported[crv], alg: keyAlg }, alg)]).toEqual([kty, 'alg_mismatch'])
    }
  })

  it.each([
    ['missing-alg', 'key_alg_missing'],
    ['hmac', 'key_not_public'],
    ['alg-none', 'key_alg_unsupported'],
    ['rfc9421-name-as-jwk-alg', 'key_alg_unsupported'],
    ['alg-mismatch', 'key_alg_mismatch'],
  ])('of the corpus key %s: %s', (name, reason) => {
    expect(judge(negative[name]?.keys[0] ?? {})).toBe(reason)
  })
})

describe('a key that cannot verify', () => {
  const edwards = { ...exported['Ed25519'], alg: 'Ed25519' }
  const curve = { ...exported['P-256'], alg: 'ES256' }
  const rsa = { ...exported[''], alg: 'RS256' }
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const privateKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })

  it.each<[string, Jwk, string]>([
    ['use enc (C10)', { ...edwards, use: 'enc' }, 'key_not_for_signatures'],
    ['use of another type', { ...edwards, use: ['sig'] }, 'key_not_for_signatures'],
    ['key_ops without verify', { ...edwards, key_ops: ['encrypt'] }, 'key_not_for_signatures'],
    ['key_ops of another type', { ...edwards, key_ops: 'verify' }, 'key_not_for_signatures'],
    ['RSA of 1024 bits (C10)', { ...small.export({ format: 'jwk' }), alg: 'RS256' }, 'key_size'],
    ['RSA of 8256 bits', { ...rsa, n: Buffer.alloc(1032, 255).toString('base64url') }, 'key_size'],
    ['an RSA exponent of 1', { ...rsa, e: 'AQ' }, 'key_size'],
    ['a symmetric key (C10)', { kty: 'oct', k: 'c2VjcmV0', alg: 'ES256' }, 'key_not_public'],
    ['a symmetric key without its secret', { kty: 'oct', alg: 'HS256' }, 'key_not_public'],
    ['a private key', { ...privateKey, alg: 'Ed25519' }, 'key_not_public'],
    ['an HMAC alg on a public key', { ...rsa, alg: 'HS256' }, 'key_alg_unsupported'],
    ['RSA-PSS', { ...rsa, alg: 'PS256' }, 'key_alg_unsupported'],
    ['alg of another type', { ...edwards, alg: 1 }, 'key_alg_missing'],
    ['kty in lower case', { ...curve, kty: 'ec' }, 'key_alg_mismatch'],
    ['Ed448', { ...edwards, crv: 'Ed448' }, 'key_alg_mismatch'],
    ['a point off the curve', { ...curve, y: curve.x }, 'key_malformed'],
    ['a coordinate missing', { ...curve, y: undefined }, 'key_malformed'],
    ['a coordinate of another type', { ...edwards, x: 1 }, 'key_malformed'],
    ['a short Ed25519 key', { ...edwards, x: 'AAAA' }, 'key_malformed'],
    ['nothing in it', {}, 'key_alg_missing'],
  ])('is refused: %s', (_name, jwk, reason) => {
    expect(judge(jwk)).toBe(reason)
  })

  it.each<[string, Jwk]>([
    ['use sig', { ...edwards, use: 'sig' }],
    ['key_ops with verify', { ...edwards, key_ops: ['sign', 'verify'] }],
    ['members we do not know', { ...edwards, x5c: ['AAAA'], nbf: 1 }],
  ])('is another one: %s', (_name, jwk) => {
    expect(judge(jwk)).toBe('signature_length')
  })
})
