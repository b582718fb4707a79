import { describe, expect, it, jest } from '@jest/globals'
import { readFixture } from '../../support/fixtures.ts'
import type { PeerReply } from '../../support/peer/independent-peer.ts'
import { leaksIn } from '../../support/secrets.ts'
import { accessStage, type AccessStage } from '../../support/sending-peer.ts'

/** Each case is a story of two servers. */
jest.setTimeout(30_000)

const recorded = readFixture('token/responses') as Record<string, PeerReply>

/** What a strict share comes to by one answer of its sender's token endpoint. */
type Outcome = 'opened' | 'revoked' | 'needs attention' | 'unreachable' | 'garbled'

const outcomes: Readonly<Record<string, Outcome>> = {
  'nextcloud-200': 'opened',
  'reva-200': 'opened',
  'ocmgo-200': 'opened',
  'stub-200': 'opened',
  'nextcloud-401-signature': 'needs attention',
  'nextcloud-400-grant': 'needs attention',
  'nextcloud-400-code': 'needs attention',
  'nextcloud-401-invalid-grant': 'revoked',
  'nextcloud-500': 'unreachable',
  'reva-400-invalid-grant': 'revoked',
  'reva-400-grant-type': 'needs attention',
  'reva-500': 'unreachable',
  'ocmgo-400-invalid-request': 'needs attention',
  'ocmgo-400-invalid-client': 'needs attention',
  'ocmgo-400-invalid-grant': 'revoked',
  'ocmgo-401-unsigned': 'needs attention',
  'ocmgo-400-declared-peer': 'needs attention',
  'ocmgo-501-disabled': 'needs attention',
  'stub-400-grant': 'needs attention',
  'stub-403-client': 'needs attention',
  'bad-no-access-token': 'garbled',
  'bad-expires-zero': 'garbled',
  'bad-malformed-json': 'garbled',
  'bad-content-type': 'garbled',
}

const good = { access_token: 'abc.def', token_type: 'Bearer', expires_in: 3600 }
const json = (body: unknown): PeerReply => ({ status: 200, body })
const withToken = (access_token: unknown) => json({ ...good, access_token })
const living = (expires_in: unknown) => json({ ...good, expires_in })
const html = { 'content-type': 'text/html' }

const hostile: Readonly<Record<string, PeerReply>> = {
  'a line break in the token': withToken('abc\r\nX-Evil: 1'),
  'a line feed in the token': withToken('abc\ndef'),
  'a NUL in the token': withToken('abc\0'),
  'a blank in the token': withToken('abc def'),
  'an umlaut in the token': withToken('äbc'),
  'an empty token': withToken(''),
  'a token that is a number': withToken(123),
  'a token of more than 8 KiB': withToken('a'.repeat(8193)),
  'another type of token': json({ ...good, token_type: 'mac' }),
  'no type of token': json({ ...good, token_type: undefined }),
  'a life before its beginning': living(-1),
  'a life of ages': living(1e12),
  'a life that is no number': living('x'),
  'a life that is the text of one': living('3600'),
  'half a second': living(1.5),
  'no life': living(undefined),
  'a life of null': living(null),
  'an array': json([good]),
  null: json(null),
  'a page': { status: 200, body: '<html>Log in here</html>', headers: html },
  'nothing at all': { status: 204, body: '' },
  'a megabyte of it': json({ ...good, more: 'x'.repeat(100_000) }),
  'a coding that nobody asked for': { ...json(good), headers: { 'content-encoding': 'gzip' } },
  'the way to somebody else': { status: 307, headers: { location: 'http://127.0.0.1:9/' } },
  'a way to itself': { status: 302, headers: { location: '/remote/trip' } },
}

async function openBy(stage: AccessStage, reply: PeerReply): Promise<Outcome> {
  const { sending } = stage
  sending.replyToExchange(reply)
  const token = (reply.body as { access_token?: unknown } | undefined)?.access_token
  if (typeof token === 'string') sending.accepts.add(`Bearer ${token}`)
  const code = await stage.ask().then(
    () => 'none',
    (error: unknown) => String((error as { code?: unknown }).code),
  )
  const { state } = stage.row()
  switch (code) {
    case 'none':
      return 'opened'
    case 'share_closed':
      return state === 'revoked' ? 'revoked' : 'needs attention'
    case 'sender_unreachable':
      return 'unreachable'
    case 'sender_garbled':
      return 'garbled'
    default:
      throw new Error(code)
  }
}

it('every recorded answer is judged', () => {
  expect(Object.keys(recorded).sort()).toEqual(Object.keys(outcomes).sort())
})

describe('a token endpoint that says', () => {
  it.each(Object.entries(outcomes))('%s: the share is %s', async (name, outcome) => {
    await using stage = await accessStage({ arm: 'strict' })
    const before = stage.row()
    expect(await openBy(stage, recorded[name] ?? { status: 0 })).toBe(outcome)
    const after = stage.row()
    expect(after['sealed_access_token'] === null).toBe(outcome !== 'opened')
    expect(after['refresh_lease_holder']).toBeNull()
    const problem = outcome === 'revoked' || outcome === 'needs attention'
    expect(after['problem'] !== null).toBe(problem)
    if (outcome === 'unreachable' || outcome === 'garbled') expect(after).toEqual(before)
    expect(stage.sending.asked).toHaveLength(1)
    expect(stage.sending.seen).toHaveLength(outcome === 'opened' ? 1 : 0)
  })

  it.each(Object.entries(hostile))('%s (H8): nothing is kept', async (_, reply) => {
    await using stage = await accessStage({ arm: 'strict' })
    const before = stage.row()
    expect(await openBy(stage, reply)).toBe('garbled')
    expect(stage.row()).toEqual(before)
    expect(stage.sending.seen).toEqual([])
    expect(leaksIn(stage.server.log.text(), stage.server.secrets)).toEqual([])
    // The next answer may be a good one.
    expect((await stage.ask()).status).toBe(207)
  })
})
