import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { gzipSync } from 'node:zlib'
import { readFixture } from '../../support/fixtures.ts'
import { expectInvariants } from '../../support/invariants.ts'
import type { TokenRequestOptions } from '../../support/peer/independent-peer.ts'
import { expectOAuthError, formOf, tokenStage, type TokenStage } from '../../support/token-stage.ts'

let stage: TokenStage

beforeAll(async () => {
  stage = await tokenStage()
})

afterAll(() => stage.close())

describe('the parameters of a token request', () => {
  const twice = (name: string) => `${formOf(stage.fields())}&${name}=x`
  it.each<[string, () => TokenRequestOptions, string]>([
    ['code twice', () => ({ body: twice('code') }), 'invalid_request'],
    ['grant_type twice', () => ({ body: twice('grant_type') }), 'invalid_request'],
    ['an unknown one twice', () => ({ body: `${twice('x')}&x=y` }), 'invalid_request'],
    ['an empty code', () => ({ body: formOf({ ...stage.fields(), code: '' }) }), 'invalid_request'],
    [
      'an empty grant',
      () => ({ body: formOf({ ...stage.fields(), grant_type: '' }) }),
      'invalid_request',
    ],
    [
      'no client',
      () => ({ body: formOf({ ...stage.fields(), client_id: '' }) }),
      'invalid_request',
    ],
    ['a bad escape', () => ({ body: `${formOf(stage.fields())}&x=%zz` }), 'invalid_request'],
    ['invalid UTF-8', () => ({ body: `${formOf(stage.fields())}&x=%ff` }), 'invalid_request'],
    [
      'a path as client',
      () => ({ body: formOf({ ...stage.fields(), client_id: 'h/x' }) }),
      'invalid_request',
    ],
    [
      'another client',
      () => ({ body: formOf({ ...stage.fields(), client_id: 'a.example.org' }) }),
      'invalid_client',
    ],
  ])('are refused with %s (S5)', async (_name, options, error) => {
    const ask = () => stage.peer.askToken(stage.server, stage.share.secret, options())
    const status = error === 'invalid_client' ? 401 : 400
    expectOAuthError((await expectInvariants(stage.server, ask))[0], status, error)
  })

  it('are ignored when unknown (S6)', async () => {
    const extra = { redirect_uri: 'https://x.example.org', scope: 'all', constructor: 'x' }
    const body = formOf({ ...stage.fields(), ...extra })
    expect((await stage.peer.askToken(stage.server, stage.share.secret, { body })).status).toBe(200)
  })

  it.each([
    ['deep', `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`],
    ['poisoned', '{"__proto__":{"grant_type":"authorization_code"}}'],
    ['with a byte order mark', '\ufeff{}'],
    ['an array', '[]'],
    ['not JSON', '{"grant_type":'],
    [
      'with a code that is no text',
      '{"grant_type":"authorization_code","client_id":"h","code":{}}',
    ],
    ['with a number too large', '{"grant_type":1e400}'],
  ])('are refused as JSON that is %s', async (_name, body) => {
    const ask = () =>
      stage.peer.askToken(stage.server, 'x', { body, contentType: 'application/json' })
    expectOAuthError((await expectInvariants(stage.server, ask))[0], 400, 'invalid_request')
    expect(({} as Record<string, unknown>)['grant_type']).toBeUndefined()
  })

  it('are not inflated: Content-Encoding: gzip is 415 (C12)', async () => {
    const sentBody = gzipSync(formOf(stage.fields()))
    const extra = { 'content-encoding': 'gzip', 'content-length': String(sentBody.length) }
    const ask = () => stage.peer.askToken(stage.server, stage.share.secret, { sentBody, extra })
    expect((await expectInvariants(stage.server, ask))[0]?.status).toBe(415)
  })
})

describe('the token requests of real peers', () => {
  interface Captured {
    readonly headers: { readonly 'content-type': string }
    readonly body: string
  }
  const captured = readFixture('token/requests') as Record<string, Captured>
  /** Their secrets and hosts are other ones: what is well-formed is an unknown grant. */
  const outcomes: Record<string, string> = {
    'nextcloud-form': 'invalid_grant',
    'nextcloud-early-json': 'invalid_grant',
    reva: 'invalid_grant',
    'reva-legacy-grant': 'invalid_grant',
    ocmgo: 'invalid_grant',
    'ocm-stub-json': 'invalid_grant',
    'wrong-grant': 'unsupported_grant_type',
    'missing-grant': 'invalid_request',
    'missing-code': 'invalid_request',
    'empty-code': 'invalid_request',
    'missing-client': 'invalid_request',
    'malformed-form': 'invalid_request',
  }

  it('are all known to this test', () => {
    expect(Object.keys(captured)).toEqual(Object.keys(outcomes))
  })

  it.each(Object.entries(outcomes))(
    '%s, unsigned and with an unknown code: %s',
    async (name, error) => {
      const { headers, body = '' } = captured[name] ?? {}
      const contentType = headers?.['content-type'] ?? ''
      const ask = () => stage.peer.askToken(stage.server, '', { unsigned: true, body, contentType })
      expectOAuthError((await expectInvariants(stage.server, ask))[0], 400, error)
    },
  )

  it.each(['nextcloud-form', 'nextcloud-early-json', 'reva', 'ocmgo', 'ocm-stub-json'])(
    '%s, with a code and client of ours: 200',
    async (name) => {
      const { headers, body = '' } = captured[name] ?? {}
      const own = body
        .replace(/(code(?:=|":"))[^&"]+(?=["&]|$)/, `$1${stage.share.secret}`)
        .replace(/(client_id(?:=|":"))[^&"]+/, `$1${stage.peer.host}`)
      const contentType = headers?.['content-type'] ?? ''
      expect((await stage.peer.askToken(stage.server, '', { body: own, contentType })).status).toBe(
        200,
      )
    },
  )
})
