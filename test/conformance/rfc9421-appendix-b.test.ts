import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { verifySignature, type Jwk } from '../../src/http-signatures/index.ts'
import { readFields, signatureBase } from '../../src/http-signatures/components.ts'
import { bytesOf, innerListOf, readDictionary } from '../../src/http-signatures/dictionary.ts'

/** RFC 9421 appendix B.1.4 and B.1.3; `alg` is ours to add, the appendix gives keys without. */
const ed25519: Jwk = {
  kty: 'OKP',
  crv: 'Ed25519',
  alg: 'Ed25519',
  x: 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs',
}
const p256: Jwk = {
  kty: 'EC',
  crv: 'P-256',
  alg: 'ES256',
  x: 'qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA',
  y: 'Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0',
}

interface Message {
  readonly method: string
  readonly targetUri: string
  readonly rawHeaders: readonly string[]
}

/** Appendix B.2, the request all B.2 examples sign. */
const testRequest: Message = {
  method: 'POST',
  targetUri: 'https://example.com/foo?param=Value&Pet=dog',
  rawHeaders: [
    ...['Host', 'example.com'],
    ...['Date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
    ...['Content-Type', 'application/json'],
    'Content-Digest',
    'sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:',
    ...['Content-Length', '18'],
  ],
}

/** Appendix B.3, what a TLS-terminating proxy forwards. */
const proxiedRequest: Message = {
  method: 'POST',
  targetUri: 'https://service.internal.example/foo?param=Value&Pet=dog',
  rawHeaders: [
    'Client-Cert',
    ':MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMM' +
      'EkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkw' +
      'EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M' +
      '6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAO' +
      'BgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAoG' +
      'CCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk' +
      '0wmuydBVoU4hBVZ1yhk=:',
  ],
}

/** Appendix B.4, a request whose signature survives transformations. */
const transformedRequest = (change: Partial<Message> = {}): Message => ({
  method: 'GET',
  targetUri: 'https://example.org/demo?name1=Value1&Name2=value2',
  rawHeaders: ['Accept', 'application/json', 'Accept', '*/*'],
  ...change,
})

/** The member `label` of one field. */
function member(field: string, label: string) {
  const read = readDictionary(field)
  const found = read.ok ? read.members.get(label) : undefined
  if (!found) throw new Error(field)
  return found
}

function baseOf(message: Message, input: string): Uint8Array {
  const list = innerListOf(member(`x=${input}`, 'x'))
  if (!list) throw new Error(input)
  const result = signatureBase(list, { ...message, fields: readFields(message.rawHeaders) })
  if (!result.ok) throw new Error(result.reason)
  return result.base
}

function verifies(message: Message, input: string, signature: string, jwk: Jwk): boolean {
  const bytes = bytesOf(member(`x=${signature}`, 'x'))
  if (!bytes) throw new Error(signature)
  return verifySignature({ base: baseOf(message, input), bytes }, jwk).ok
}

describe('RFC 9421 appendix B', () => {
  const b26 =
    '("date" "@method" "@path" "@authority" "content-type" "content-length")' +
    ';created=1618884473;keyid="test-key-ed25519"'

  it('B.2.3: the base of the full example', () => {
    const input =
      '("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length")' +
      ';created=1618884473;keyid="test-key-rsa-pss"'
    expect(Buffer.from(baseOf(testRequest, input)).toString().split('\n')).toEqual([
      '"date": Tue, 20 Apr 2021 02:07:55 GMT',
      '"@method": POST',
      '"@path": /foo',
      '"@query": ?param=Value&Pet=dog',
      '"@authority": example.com',
      '"content-type": application/json',
      '"content-digest": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:',
      '"content-length": 18',
      `"@signature-params": ${input}`,
    ])
  })

  it('B.2.4: an ECDSA P-256 signature over a response', () => {
    const path = '../fixtures/signatures/rfc9421-b2-4-vector.json'
    const vector = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
      jwk: Jwk
      signatureBase: string
      signature: string
    }
    const base = Buffer.from(vector.signatureBase)
    const bytes = Buffer.from(vector.signature, 'base64')
    expect(verifySignature({ base, bytes }, vector.jwk)).toEqual({ ok: true })
  })

  it('B.2.5: the base that hmac-sha256 signs, though we never verify it', () => {
    const input =
      '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
    expect(Buffer.from(baseOf(testRequest, input)).toString()).toBe(
      '"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@authority": example.com\n' +
        `"content-type": application/json\n"@signature-params": ${input}`,
    )
  })

  it('B.2.6: an Ed25519 signature over a request', () => {
    const signature =
      ':wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:'
    expect(verifies(testRequest, b26, signature, ed25519)).toBe(true)
    expect(verifies({ ...testRequest, method: 'PUT' }, b26, signature, ed25519)).toBe(false)
  })

  it('B.3: the signature of a TLS-terminating proxy', () => {
    const input =
      '("@path" "@query" "@method" "@authority" "client-cert")' +
      ';created=1618884473;keyid="test-key-ecc-p256"'
    const signature =
      ':xVMHVpawaAC/0SbHrKRs9i8I3eOs5RtTMGCWXm/9nvZzoHsIg6Mce9315T6xoklyy0yzhD9ah4JHRwMLOgmizw==:'
    expect(verifies(proxiedRequest, input, signature, p256)).toBe(true)
  })

  it.each([
    ['untouched', transformedRequest(), true],
    [
      'a field and a query parameter added',
      transformedRequest({
        targetUri: 'https://example.org/demo?name1=Value1&Name2=value2&param=added',
        rawHeaders: ['Accept', 'application/json', 'Accept', '*/*', 'Accept-Language', 'en-US,en'],
      }),
      true,
    ],
    [
      'lines combined',
      transformedRequest({ rawHeaders: ['accept', 'application/json, */*'] }),
      true,
    ],
    [
      'blanks around values',
      transformedRequest({ rawHeaders: ['Accept', '  application/json\t', 'ACCEPT', ' */* '] }),
      true,
    ],
    ['another method', transformedRequest({ method: 'POST' }), false],
    ['another authority', transformedRequest({ targetUri: 'https://example.com/demo' }), false],
    [
      'the accept lines in another order',
      transformedRequest({ rawHeaders: ['Accept', '*/*', 'Accept', 'application/json'] }),
      false,
    ],
  ])('B.4: a message transformed: %s', (_name, message, survives) => {
    const input =
      '("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519"'
    const signature =
      ':ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==:'
    expect(verifies(message, input, signature, ed25519)).toBe(survives)
  })
})

describe('RFC 9421 §2', () => {
  const valueOf = (name: string, message: Partial<Message>) => {
    const base = baseOf(
      { method: 'GET', targetUri: 'https://h/', rawHeaders: [], ...message },
      `("${name}")`,
    )
    return Buffer.from(base).toString().split('\n')[0]?.replace(`"${name}": `, '')
  }

  it.each([
    [
      'x-ows-header',
      ['X-OWS-Header', '   Leading and trailing whitespace.   '],
      'Leading and trailing whitespace.',
    ],
    [
      'x-obs-fold-header',
      ['X-Obs-Fold-Header', 'Obsolete\r\n    line folding.'],
      'Obsolete line folding.',
    ],
    [
      'cache-control',
      ['Cache-Control', 'max-age=60', 'Cache-Control', '   must-revalidate'],
      'max-age=60, must-revalidate',
    ],
    [
      'example-dict',
      ['Example-Dict', '  a=1,    b=2;x=1;y=2,   c=(a   b   c)'],
      'a=1,    b=2;x=1;y=2,   c=(a   b   c)',
    ],
    ['x-empty-header', ['X-Empty-Header', ''], ''],
  ])('§2.1: the field %s', (name, rawHeaders, value) => {
    expect(valueOf(name, { rawHeaders })).toBe(value)
  })

  it.each([
    ['@method', 'https://www.example.com/path', 'GET'],
    [
      '@target-uri',
      'https://www.example.com/path?param=value',
      'https://www.example.com/path?param=value',
    ],
    ['@authority', 'https://WWW.Example.com:443/path', 'www.example.com'],
    ['@authority', 'http://example.com:8080/', 'example.com:8080'],
    ['@scheme', 'HTTP://www.example.com/', 'http'],
    ['@request-target', 'https://www.example.com/path?param=value', '/path?param=value'],
    ['@path', 'https://www.example.com/path?param=value', '/path'],
    ['@path', 'https://www.example.com', '/'],
    [
      '@query',
      'https://www.example.com/path?param=value&foo=bar&baz=bat%2Dman',
      '?param=value&foo=bar&baz=bat%2Dman',
    ],
    ['@query', 'https://www.example.com/path?queryString', '?queryString'],
    ['@query', 'https://www.example.com/path?', '?'],
    ['@query', 'https://www.example.com/path', '?'],
  ])('§2.2: %s of %s', (name, targetUri, value) => {
    expect(valueOf(name, { targetUri })).toBe(value)
  })
})
