import { describe, expect, it } from '@jest/globals'
import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { createSigner, createVerifier, httpbis } from 'http-message-signatures'
import {
  findAlgorithm,
  signatureAlgorithms,
  signRequest,
  verifySignature,
  type AlgorithmFacts,
  type Jwk,
  type SignatureAlgorithm,
  type SignatureHeaders,
} from '../../../src/http-signatures/index.ts'
import { body, created, inspected, keyId, policy, publicJwk, signBytes } from './signed-request.ts'

const request = { method: 'POST', targetUri: 'https://example.com/ocm/shares', body }
const signer = { keyId, algorithm: 'ed25519', sign: signBytes } as const

const arrival = (headers: SignatureHeaders, data: Uint8Array = body) => ({
  ...request,
  body: data,
  rawHeaders: Object.entries(headers).flatMap(([name, value]) => [name, String(value)]),
})

describe('signing a request', () => {
  it('writes the golden form peers compare with (S2, S3)', async () => {
    const headers = await signRequest(request, signer, { created })
    expect(headers).toEqual({
      'content-digest': 'sha-256=:yZrWiwENbluxCYy1jEoOLTHaeyVXsfOGx7/zaq5Tq0o=:',
      'content-length': '38',
      'signature-input':
        'ocm=("@method" "@target-uri" "content-digest" "content-length");created=1730815200;' +
        'keyid="https://peer.example.org/ocm#key-1";alg="ed25519";tag="ocm"',
      signature: expect.stringMatching(/^ocm=:[A-Za-z0-9+/]{86}==:$/),
    })
  })

  it('leaves a Date field unsigned unless told otherwise (S3)', async () => {
    const dated = { ...request, headers: { date: 'Tue, 05 Nov 2024 14:00:00 GMT' } }
    const headers = await signRequest(dated, signer, { created })
    expect(Object.keys(headers)).not.toContain('date')
    expect(headers['signature-input']).not.toContain('date')
  })

  it.each([
    ['the Date of the request', 'Tue, 05 Nov 2024 14:00:05 GMT'],
    ['the Date of created when the request has none', undefined],
  ])('covers %s for draft-05 peers', async (_name, date) => {
    const dated = { ...request, ...(date !== undefined && { headers: { date } }) }
    const headers = await signRequest(dated, signer, { created, coverDate: true })
    expect(headers.date).toBe(date ?? 'Tue, 05 Nov 2024 14:00:00 GMT')
    expect(headers['signature-input']).toContain('"content-length" "date");created=')
    expect(verifySignature(inspected(arrival(headers)), publicJwk)).toEqual({ ok: true })
  })

  it('signs an empty body with its digest and a length of zero (S4)', async () => {
    const empty = new Uint8Array()
    const headers = await signRequest({ ...request, body: empty }, signer, { created })
    expect(headers['content-length']).toBe('0')
    expect(verifySignature(inspected(arrival(headers, empty)), publicJwk)).toEqual({ ok: true })
  })

  it.each([created + 0.5, Number.NaN, Infinity])('throws for created %d', async (time) => {
    await expect(signRequest(request, signer, { created: time })).rejects.toThrow(TypeError)
  })

  it('throws for a target URI that cannot be signed', async () => {
    const odd = { ...request, targetUri: 'https://example.com/\u00e9' }
    await expect(signRequest(odd, signer, { created })).rejects.toThrow(TypeError)
  })
})

describe('a round trip', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pairs = {
    ed25519: generateKeyPairSync('ed25519'),
    'ecdsa-p256-sha256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    'ecdsa-p384-sha384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    'rsa-v1_5-sha256': rsa,
    'rsa-v1_5-sha384': rsa,
    'rsa-v1_5-sha512': rsa,
  } as const satisfies Record<SignatureAlgorithm, { privateKey: KeyObject; publicKey: KeyObject }>
  const algorithms = Object.keys(signatureAlgorithms) as SignatureAlgorithm[]

  const signatureOf = async (algorithm: SignatureAlgorithm, dsaEncoding: 'ieee-p1363' | 'der') => {
    const { hash }: AlgorithmFacts = signatureAlgorithms[algorithm]
    const key = pairs[algorithm].privateKey
    const raw = {
      keyId,
      algorithm,
      sign: (data: Uint8Array) => sign(hash, data, { key, dsaEncoding }),
    }
    return inspected(arrival(await signRequest(request, raw, { created })))
  }
  const jwkOf = (algorithm: SignatureAlgorithm, alg: string): Jwk => ({
    ...pairs[algorithm].publicKey.export({ format: 'jwk' }),
    alg,
  })

  it.each(algorithms)('with %s verifies under every JWK spelling of it', async (algorithm) => {
    const signature = await signatureOf(algorithm, 'ieee-p1363')
    expect(signature.alg).toBe(algorithm)
    for (const alg of signatureAlgorithms[algorithm].jose) {
      expect(findAlgorithm(alg)).toBe(algorithm)
      expect(verifySignature(signature, jwkOf(algorithm, alg))).toEqual({ ok: true })
    }
  })

  it.each(algorithms)(
    'with %s fails when a byte, the length or the key differs',
    async (algorithm) => {
      const signature = await signatureOf(algorithm, 'ieee-p1363')
      const [alg] = signatureAlgorithms[algorithm].jose
      const jwk = jwkOf(algorithm, alg)
      const base = Uint8Array.from([...signature.base.slice(0, -1), 0])
      const { bytes } = signature
      expect(verifySignature({ ...signature, base }, jwk)).toEqual({
        ok: false,
        reason: 'signature_wrong',
      })
      for (const wrong of [bytes.slice(1), Uint8Array.from([...bytes, 0]), new Uint8Array()]) {
        expect(verifySignature({ ...signature, bytes: wrong }, jwk)).toEqual({
          ok: false,
          reason: 'signature_length',
        })
      }
      const zeros = new Uint8Array(bytes.length)
      expect(verifySignature({ ...signature, bytes: zeros }, jwk).ok).toBe(false)
    },
  )

  it.each(['ecdsa-p256-sha256', 'ecdsa-p384-sha384'] as const)(
    'with %s refuses a DER signature (C10)',
    async (algorithm) => {
      const [alg] = signatureAlgorithms[algorithm].jose
      const verdict = verifySignature(await signatureOf(algorithm, 'der'), jwkOf(algorithm, alg))
      expect(verdict).toEqual({ ok: false, reason: 'signature_length' })
    },
  )

  it('refuses an alg that is another RSA algorithm than the key says (C9)', async () => {
    const signature = await signatureOf('rsa-v1_5-sha256', 'ieee-p1363')
    const verdict = verifySignature(signature, jwkOf('rsa-v1_5-sha256', 'RS512'))
    expect(verdict).toEqual({ ok: false, reason: 'alg_mismatch' })
  })
})

describe('a second opinion (http-message-signatures)', () => {
  const pair = generateKeyPairSync('ed25519')
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), alg: 'Ed25519' }
  const url = request.targetUri

  it('verifies what we sign', async () => {
    const ours = { ...signer, sign: (data: Uint8Array) => sign(null, data, pair.privateKey) }
    const headers = await signRequest(request, ours, { created })
    const verify = createVerifier(createPublicKey({ key: jwk, format: 'jwk' }), 'ed25519')
    const verdict = await httpbis.verifyMessage(
      {
        keyLookup: () => Promise.resolve({ id: keyId, algs: ['ed25519'], verify }),
        notAfter: policy.nowSeconds,
        requiredFields: ['@method', '@target-uri', 'content-digest', 'content-length'],
      },
      { method: 'POST', url, headers: { ...headers } },
    )
    expect(verdict).toBe(true)
  })

  it('signs what we verify', async () => {
    const { 'content-digest': digest } = await signRequest(request, signer, { created })
    const message = await httpbis.signMessage(
      {
        key: createSigner(pair.privateKey, 'ed25519', keyId),
        name: 'ocm',
        fields: ['@method', '@target-uri', 'content-digest', 'content-length'],
        params: ['created', 'keyid', 'alg', 'tag'],
        paramValues: { created: new Date(created * 1000), tag: 'ocm' },
      },
      {
        method: 'POST',
        url,
        headers: { 'content-digest': digest, 'content-length': String(body.length) },
      },
    )
    const rawHeaders = Object.entries(message.headers).flatMap(([name, value]) => [name, value])
    expect(verifySignature(inspected({ ...request, rawHeaders }), jwk)).toEqual({ ok: true })
  })
})
