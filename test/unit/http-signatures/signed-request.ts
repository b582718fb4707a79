import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type {
  InspectedSignature,
  Jwk,
  ReceivedRequest,
} from '../../../src/http-signatures/index.ts'
import { inspectSignature } from '../../../src/http-signatures/index.ts'

export const created = 1730815200
export const policy = { nowSeconds: created + 10, maxAgeSeconds: 300, maxSkewSeconds: 60 }
export const body = Buffer.from('{"shareWith":"marie@ours.example.org"}')
export const keyId = 'https://peer.example.org/ocm#key-1'
export const fourComponents = '("@method" "@target-uri" "content-digest" "content-length")'
/** A good `Signature-Input` member, for tests to spoil. */
export const goodInput = `${fourComponents};created=${created};keyid="${keyId}";alg="ed25519";tag="ocm"`

const keys = generateKeyPairSync('ed25519')
export const publicJwk: Jwk = {
  ...keys.publicKey.export({ format: 'jwk' }),
  kid: keyId,
  alg: 'Ed25519',
}
export const signBytes = (data: Uint8Array): Buffer => sign(null, data, keys.privateKey)

const values: Readonly<Record<string, string>> = {
  '@method': 'POST',
  '@target-uri': 'https://ours.example.org/ocm/shares?a=b',
  '@authority': 'ours.example.org',
  '@scheme': 'https',
  '@path': '/ocm/shares',
  '@query': '?a=b',
  '@request-target': '/ocm/shares?a=b',
  host: 'ours.example.org',
  date: 'Tue, 05 Nov 2024 14:00:00 GMT',
  'content-type': 'application/json',
  'content-digest': `sha-256=:${createHash('sha256').update(body).digest('base64')}:`,
  'content-length': String(body.length),
}

/** A signature that is genuine for `input`, made without the code under test. */
export function genuineSignature(input: string, fields: Readonly<Record<string, string>> = {}) {
  const list = /^\(([^)]*)\)/.exec(input)?.[1] ?? ''
  const lines = list
    .split(' ')
    .filter(Boolean)
    .map((item) => {
      const name = item.split('"')[1] ?? ''
      return `${item}: ${fields[name] ?? values[name] ?? ''}\n`
    })
  const base = `${lines.join('')}"@signature-params": ${input}`
  return `:${signBytes(Buffer.from(base)).toString('base64')}:`
}

/** A request with these two signature fields; `fields` add, replace or (undefined) remove others. */
export function received(
  signatureInput: string,
  signature: string,
  fields: Readonly<Record<string, string | undefined>> = {},
): ReceivedRequest {
  const all: Readonly<Record<string, string | undefined>> = {
    ...Object.fromEntries(Object.entries(values).filter(([name]) => !name.startsWith('@'))),
    'Signature-Input': signatureInput,
    Signature: signature,
    ...fields,
  }
  const rawHeaders = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [name, value],
  )
  return { method: 'POST', targetUri: values['@target-uri'] ?? '', rawHeaders, body }
}

/** A request whose one signature, labelled `ocm`, is genuine for this input. */
export const signedWith = (
  input: string,
  fields: Readonly<Record<string, string>> = {},
): ReceivedRequest => received(`ocm=${input}`, `ocm=${genuineSignature(input, fields)}`, fields)

/** `unsigned`, `inspected`, or the reason of the refusal. */
export function outcome(request: ReceivedRequest, overrides: Partial<typeof policy> = {}): string {
  const inspection = inspectSignature(request, { ...policy, ...overrides })
  return inspection.status === 'refused' ? inspection.reason : inspection.status
}

/** The inspected signature of a request that must pass inspection. */
export function inspected(
  request: ReceivedRequest,
  overrides: Partial<typeof policy> = {},
): InspectedSignature {
  const inspection = inspectSignature(request, { ...policy, ...overrides })
  if (inspection.status !== 'inspected') throw new Error(JSON.stringify(inspection))
  return inspection.signature
}

/** A fixture of `test/fixtures`, typed by the caller. */
export function readFixture(path: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../fixtures/${path}`, import.meta.url), 'utf8'))
}
