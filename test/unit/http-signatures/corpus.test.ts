import { describe, expect, it } from '@jest/globals'
import {
  findKey,
  inspectSignature,
  verifySignature,
  type ReceivedRequest,
} from '../../../src/http-signatures/index.ts'
import { inspected, policy, readFixture } from './signed-request.ts'

interface CapturedRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signatureBase: string
  readonly jwks?: unknown
  readonly now: number
}

interface Mutations {
  readonly publicJwks: unknown
  readonly valid: CapturedRequest
  readonly cases: readonly { name: string; expect: string; now?: number; req?: CapturedRequest }[]
}

const receivedAs = ({ method, url, headers, body }: CapturedRequest): ReceivedRequest => ({
  method,
  targetUri: url,
  rawHeaders: Object.entries(headers).flat(),
  body: Buffer.from(body),
})

const load = (name: string) => readFixture(`signatures/${name}.json`) as CapturedRequest

describe('the signature corpus', () => {
  it.each([
    'tag-era-ed25519',
    'tag-era-es256-no-alg',
    'tag-era-rs256',
    'token-form',
    'label-era-with-date',
    'empty-body-get',
  ])('accepts %s and rebuilds its signature base', (name) => {
    const fixture = load(name)
    const signature = inspected(receivedAs(fixture), { nowSeconds: fixture.now })
    expect(Buffer.from(signature.base).toString()).toBe(fixture.signatureBase)
    const found = findKey(fixture.jwks ?? readFixture('jwks/ocmgo.json'), signature.keyId)
    if (found.status !== 'found') throw new Error(found.status)
    expect(verifySignature(signature, found.jwk)).toEqual({ ok: true })
  })

  it('takes a label-era message for unsigned when the policy says so', () => {
    const fixture = load('label-era-with-date')
    const tagsOnly = { ...policy, nowSeconds: fixture.now, acceptUntagged: false }
    expect(inspectSignature(receivedAs(fixture), tagsOnly)).toEqual({ status: 'unsigned' })
  })

  it('takes a draft-cavage signature for unsigned', () => {
    const fixture = load('cavage-nextcloud')
    const now = { ...policy, nowSeconds: fixture.now }
    expect(inspectSignature(receivedAs(fixture), now)).toEqual({ status: 'unsigned' })
  })
})

describe('the mutations of a valid message', () => {
  const mutations = readFixture('signatures/mutations.json') as Mutations
  const reasons: Readonly<Record<string, string>> = {
    'tag changed to other': 'unsigned',
    'method changed': 'signature_wrong',
    'body changed': 'digest_mismatch',
    'signature header stripped': 'label_mismatch',
    'duplicated dictionary members': 'fields_duplicate',
    'two tagged signatures': 'several_signatures',
    'foreign label only': 'unsigned',
    'stale created (-301 s)': 'created_stale',
    'age exactly 300': 'verified',
    'future 61 s': 'created_future',
    'future exactly 60': 'verified',
    'two digests, one wrong': 'digest_mismatch',
    'content-digest removed': 'component_absent',
  }

  function judge(request: CapturedRequest, nowSeconds: number): string {
    const inspection = inspectSignature(receivedAs(request), { ...policy, nowSeconds })
    if (inspection.status === 'unsigned') return 'unsigned'
    if (inspection.status === 'refused') return inspection.reason
    const found = findKey(mutations.publicJwks, inspection.signature.keyId)
    if (found.status !== 'found') return found.status
    const verdict = verifySignature(inspection.signature, found.jwk)
    return verdict.ok ? 'verified' : verdict.reason
  }

  it('are all known to this test', () => {
    expect(mutations.cases.map(({ name }) => name)).toEqual(Object.keys(reasons))
  })

  it.each(mutations.cases.map((mutation) => ({ ...mutation, outcome: reasons[mutation.name] })))(
    '$name: $outcome (corpus: $expect)',
    ({ req, now, outcome }) => {
      expect(judge(req ?? mutations.valid, now ?? policy.nowSeconds)).toBe(outcome)
    },
  )
})
