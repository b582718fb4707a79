import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { bearer, davClient } from '../../support/dav-client.ts'
import { request, type Answer } from '../../support/http-request.ts'
import { expectInvariants } from '../../support/invariants.ts'
import { addAlice, shareWith } from '../../support/share-with.ts'
import { startServer } from '../../support/start-server.ts'
import { expectOAuthError, formOf, tokenStage, type TokenStage } from '../../support/token-stage.ts'

let stage: TokenStage

beforeAll(async () => {
  stage = await tokenStage()
})

afterAll(() => stage.close())

describe('the token endpoint (robustness B)', () => {
  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])(
    'B1 answers %s with 405 and Allow: POST (S1)',
    async (method) => {
      const [answer] = await expectInvariants(stage.server, () =>
        request(`${stage.server.url}/ocm/token`, { method }),
      )
      expect(answer?.status).toBe(405)
      expect(answer?.headers).toMatchObject({ allow: 'POST' })
    },
  )

  it('B1 answers HEAD with 405 and Allow: POST', async () => {
    const answer = await request(`${stage.server.url}/ocm/token`, { method: 'HEAD' })
    expect([answer.status, answer.headers['allow'], answer.text]).toEqual([405, 'POST', ''])
  })

  it('answers a wrong method in its own dialect, uncached (checklist 24)', async () => {
    const answer = await request(`${stage.server.url}/ocm/token`)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.json()).toHaveProperty('error')
  })

  it.each([
    'text/plain',
    '',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencodedX',
    'application/x-www-form-urlencoded; charset=utf-16',
    'application/xml',
  ])('B2 refuses the media type "%s"', async (contentType) => {
    const ask = () => stage.peer.askToken(stage.server, stage.share.secret, { contentType })
    expectOAuthError((await expectInvariants(stage.server, ask))[0], 400, 'invalid_request')
  })

  it.each([
    'application/x-www-form-urlencoded; charset=utf-8',
    'Application/X-WWW-Form-Urlencoded',
    'application/x-www-form-urlencoded;charset="UTF-8"',
  ])('takes the media type %s', async (contentType) => {
    expect(
      (await stage.peer.askToken(stage.server, stage.share.secret, { contentType })).status,
    ).toBe(200)
  })

  it('B4 refuses a body that changed after signing, without looking the code up', async () => {
    const body = formOf(stage.fields())
    const sentBody = body.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    const ask = () => stage.peer.askToken(stage.server, stage.share.secret, { body, sentBody })
    expectOAuthError((await expectInvariants(stage.server, ask))[0], 400, 'invalid_request')
  })

  const codes: Record<string, () => Promise<string> | string> = {
    'an unknown code': () => 'A'.repeat(43),
    'a code one letter off': () => `${stage.share.secret.slice(0, -1)}-`,
    'a code of a revoked share': async () => {
      const { id, secret } = await shareWith(stage.server, stage.peer)
      await stage.server.services().shares.revokeShare(id)
      return secret
    },
    'an expired code': async () => {
      const expiresAt = stage.server.clock.now() + 1000
      const { secret } = await shareWith(stage.server, stage.peer, { expiresAt })
      stage.server.clock.advance('1s')
      return secret
    },
    'an access token': () => stage.peer.exchange(stage.server, stage.share.secret),
  }

  it.each(Object.keys(codes))('B7 refuses %s', async (name) => {
    const code = (await codes[name]?.()) ?? ''
    stage.server.secrets.add(code)
    const [answer] = await expectInvariants(stage.server, () =>
      stage.peer.askToken(stage.server, code),
    )
    expectOAuthError(answer, 400, 'invalid_grant')
  })

  it("B6 answers for another receiver's code byte for byte as for an unknown one (S8)", async () => {
    const [foreign, unknown] = await expectInvariants(stage.server, async () => [
      await stage.stranger.askToken(stage.server, stage.share.secret),
      await stage.stranger.askToken(stage.server, 'A'.repeat(43)),
    ])
    expectOAuthError(foreign, 400, 'invalid_grant')
    const whole = (answer: Answer | undefined) => {
      const { 'x-request-id': _id, date: _date, ...headers } = answer?.headers ?? {}
      return { status: answer?.status, headers, text: answer?.text }
    }
    expect(whole(foreign)).toEqual(whole(unknown))
    expect(foreign?.rawHeaders.filter((_, index) => index % 2 === 0)).toEqual(
      unknown?.rawHeaders.filter((_, index) => index % 2 === 0),
    )
  })

  it.each(['password', 'refresh_token', 'client_credentials', 'Authorization_Code', 'implicit'])(
    'B9 refuses the grant %s (S7)',
    async (grant_type) => {
      const ask = () =>
        stage.peer.askToken(stage.server, stage.share.secret, {
          body: formOf({ ...stage.fields(), grant_type }),
        })
      expectOAuthError(
        (await expectInvariants(stage.server, ask))[0],
        400,
        'unsupported_grant_type',
      )
    },
  )

  it.each(['ocm_share', 'ocm_authorization_code'])('takes the older grant %s', async (type) => {
    const body = formOf({ ...stage.fields(), grant_type: type })
    expect((await stage.peer.askToken(stage.server, stage.share.secret, { body })).status).toBe(200)
  })

  it.each([
    ['64 KiB and 1 byte', 'x'.repeat(64 * 1024 + 1), 413],
    ['10,000 parameters', 'a=1&'.repeat(10_000), 413],
    ['8,000 parameters within the size limit', '&a'.repeat(8000), 400],
  ])('B10 refuses %s', async (_name, body, status) => {
    const ask = () => stage.peer.askToken(stage.server, stage.share.secret, { body })
    expectOAuthError((await expectInvariants(stage.server, ask))[0], status, 'invalid_request')
  })

  it('B11 above the budget of a share answers 429, and live tokens keep working', async () => {
    await using limited = await startServer({
      config: { limits: { token: { exchanges: 3, windowSeconds: 3600 } } },
    })
    await addAlice(limited)
    const one = await shareWith(limited, stage.peer)
    const token = await stage.peer.exchange(limited, one.secret)
    await stage.peer.exchange(limited, one.secret)
    await stage.peer.exchange(limited, one.secret)
    const [over] = await expectInvariants(limited, () => stage.peer.askToken(limited, one.secret))
    expect(over?.status).toBe(429)
    expect(Number(over?.headers['retry-after'])).toBeGreaterThan(0)
    const dav = davClient(`${limited.url}/dav/ocm/`, bearer(token))
    expect((await dav.get('beach.txt')).status).toBe(200)
    const other = await shareWith(limited, stage.peer)
    expect((await stage.peer.askToken(limited, other.secret)).status).toBe(200)
  })
})
