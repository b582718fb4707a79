import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { basic, bearer, davClient } from '../../support/dav-client.ts'
import { readFixture } from '../../support/fixtures.ts'
import { fieldLines, request, type Answer } from '../../support/http-request.ts'
import { expectInvariants } from '../../support/invariants.ts'
import { independentPeer, type IndependentPeer } from '../../support/peer/independent-peer.ts'
import { addAlice, shareWith, type SharedFolder } from '../../support/share-with.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

interface Vectors {
  readonly strict: Record<string, number>
  readonly nonStrict: Record<string, number>
  readonly nextcloudPropfindProps: string[]
}

const vectors = readFixture('vectors/webdav-auth') as Vectors

let server: TestServer
let peer: IndependentPeer
let password: string
let strict: SharedFolder
let legacy: SharedFolder
/** What the placeholders of the vectors stand for, by share. */
let values: Record<'strict' | 'nonStrict', Record<string, string>>

beforeAll(async () => {
  server = await startServer()
  peer = await independentPeer()
  password = await addAlice(server)
  strict = await shareWith(server, peer, { mode: 'strict' })
  legacy = await shareWith(server, peer, { mode: 'legacy' })
  const expiresAt = server.clock.now() + 60_000
  const ending = await shareWith(server, peer, { mode: 'strict', expiresAt })
  const expired = await peer.exchange(server, ending.secret)
  server.clock.advance('1m')
  const common = {
    'access of other share': await peer.exchange(server, legacy.secret),
    expired,
    unknown: 'A'.repeat(43),
  }
  const of = async ({ secret }: SharedFolder) => ({
    ...common,
    access: await peer.exchange(server, secret),
    secret,
    'secret+1 char': `${secret}A`,
  })
  values = { strict: await of(strict), nonStrict: await of(legacy) }
})

afterAll(async () => {
  await Promise.all([peer.close(), server.close()])
})

function credentialOf(kind: 'strict' | 'nonStrict', text: string): string | undefined {
  if (text === 'none') return undefined
  const filled = text.replaceAll(/<([^>]+)>/g, (_, name: string) => values[kind][name] ?? '?')
  return filled.startsWith('Basic ')
    ? `Basic ${Buffer.from(filled.slice(6)).toString('base64')}`
    : filled
}

describe('the credential vectors at the root of a share', () => {
  const rows = (['strict', 'nonStrict'] as const).flatMap((kind) =>
    Object.entries(vectors[kind]).map(([text, status]) => [kind, text, status] as const),
  )
  it.each(rows)('%s share, %s: %i', async (kind, text, status) => {
    const id = kind === 'strict' ? strict.id : legacy.id
    const dav = davClient(`${server.url}/dav/ocm/${id}`, credentialOf(kind, text))
    const [answer] = await expectInvariants(server, () => dav.get('/beach.txt'))
    // A living token outside of its share is 404 by S36 and A8; the vectors were made before.
    expect(answer?.status).toBe(text === 'Bearer <access of other share>' ? 404 : status)
  })

  it('answers the PROPFIND of Nextcloud on the bare root (peers.md §5.2, W6)', async () => {
    const names = vectors.nextcloudPropfindProps.map((name) =>
      name.startsWith('{')
        ? `<x:share-permissions xmlns:x="${name.slice(1, name.indexOf('}'))}"/>`
        : `<${name}/>`,
    )
    const body = `<?xml version="1.0"?><d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop>${names.join('')}</d:prop></d:propfind>`
    const dav = davClient(`${server.url}/dav/ocm/`, basic(legacy.secret, ''))
    const answer = await dav.propfind('', '0', body)
    expect(answer.status).toBe(207)
    expect(answer.text).toMatch(/<[a-zA-Z]+:collection\/>/)
  })
})

const challengesOf = (answer: Answer | undefined) =>
  answer && fieldLines(answer, 'www-authenticate')
const both = ['Bearer realm="davmesh"', 'Basic realm="davmesh"']
const badToken = ['Bearer realm="davmesh", error="invalid_token"', 'Basic realm="davmesh"']

describe('the challenges of a 401 (RFC 6750 §3.1, design §3.4)', () => {
  it.each<[string, string | undefined, string[]]>([
    ['nothing', undefined, both],
    ['a scheme nobody asked for', 'Digest username="alice"', both],
    ['a bad Bearer token', bearer('A'.repeat(43)), badToken],
    ['a wrong password', basic('alice', 'wrong-password'), both],
    ['an unknown user', basic('nobody', 'wrong-password'), both],
  ])('S11, S13 for %s', async (_name, authorization, challenges) => {
    const allowed = { mayChange: ['login_failures'] }
    for (const path of ['/dav/ocm/', '/dav/files/alice/', '/dav/files/nobody/']) {
      const ask = () => davClient(server.url + path, authorization).propfind()
      const [answer] = await expectInvariants(server, ask, allowed)
      expect(answer?.status).toBe(401)
      expect(challengesOf(answer)).toEqual(challenges)
    }
  })

  it('offers each scheme that the plugins take, also those of one plugin', async () => {
    await using alone = await startServer({ config: { auth: { plugins: ['shared-secret'] } } })
    const ask = (authorization?: string): Promise<Answer> =>
      davClient(`${alone.url}/dav/ocm/`, authorization).propfind()
    expect(challengesOf(await ask())).toEqual(both)
    expect(challengesOf(await ask(bearer('A'.repeat(43))))).toEqual(badToken)
    expect(challengesOf(await ask(basic('A'.repeat(43), '')))).toEqual(both)
  })

  it.each<[string, readonly (readonly [string, string])[]]>([
    [
      'two Authorization fields',
      [
        ['Authorization', 'Bearer A'],
        ['Authorization', 'Bearer A'],
      ],
    ],
    [
      'Basic beside Bearer',
      [
        ['Authorization', 'Basic YTph'],
        ['Authorization', 'Bearer A'],
      ],
    ],
    ['Bearer without a token', [['Authorization', 'Bearer']]],
    ['a token of other letters', [['Authorization', 'Bearer a b']]],
    ['Basic that is no base64', [['Authorization', 'Basic ***']]],
    [
      'Basic without a colon',
      [['Authorization', `Basic ${Buffer.from('alice').toString('base64')}`]],
    ],
    [
      'Basic that is no UTF-8',
      [['Authorization', `Basic ${Buffer.from([255, 58, 1]).toString('base64')}`]],
    ],
    ['Basic with NUL', [['Authorization', basic('al\0ice', 'x')]]],
  ])('S12 %s is 400 with error="invalid_request"', async (_name, headers) => {
    const ask = () => request(`${server.url}/dav/ocm/beach.txt`, { headers })
    const [answer] = await expectInvariants(server, ask)
    expect(answer?.status).toBe(400)
    expect(challengesOf(answer)?.[0]).toBe('Bearer realm="davmesh", error="invalid_request"')
  })

  it('never come from a permission: that is 403 with insufficient_scope (S13)', async () => {
    const dav = davClient(`${server.url}/dav/ocm/`, bearer(legacy.secret))
    const [answer] = await expectInvariants(server, () => dav.put('x.txt', 'x'))
    expect(answer?.status).toBe(403)
    expect(challengesOf(answer)).toEqual(['Bearer realm="davmesh", error="insufficient_scope"'])
  })
})

describe('trees and credentials', () => {
  const statusFor = async (path: string, credential: string) =>
    (await davClient(server.url, credential).propfind(path)).status

  it('open to a user the own tree and no other, and no share', async () => {
    await server.services().users.addUser({ username: 'bob' })
    const alice = basic('alice', password)
    expect(await statusFor('/dav/files/alice/', alice)).toBe(207)
    expect(await statusFor('/dav/files/bob/', alice)).toBe(404)
    expect(await statusFor('/dav/files/Alice/', alice)).toBe(404)
    expect(await statusFor('/dav/ocm/', alice)).toBe(404)
    expect(await statusFor(`/dav/ocm/${legacy.id}/`, alice)).toBe(404)
  })

  it('open to a share its own folder only, never above or beside (S36)', async () => {
    const { access = '' } = values.strict
    const token = bearer(access)
    expect(await statusFor('/dav/ocm/', token)).toBe(207)
    expect(await statusFor('/dav/ocm/diary.txt', token)).toBe(404)
    expect(await statusFor(`/dav/ocm/${strict.id}/more/`, token)).toBe(207)
    for (const path of ['/dav/ocm/../', '/dav/ocm/%2e%2e/', '/dav/ocm/..%2fdiary.txt']) {
      const answer = await request(server.url, { target: path, headers: { authorization: token } })
      expect([400, 404]).toContain(answer.status)
    }
  })

  it('does not open the OCM API or discovery any wider (W7)', async () => {
    const headers = { authorization: bearer(values.strict['access'] ?? '') }
    const answer = await request(`${server.url}/ocm/token`, { method: 'POST', headers })
    expect(answer.status).toBe(400)
  })

  it('use a password only until it expires', async () => {
    const expiresAt = server.clock.now() + 60_000
    const made = await server.services().users.addAppPassword('alice', { expiresAt })
    expect(await statusFor('/dav/files/alice/', basic('alice', made.password))).toBe(207)
    server.clock.advance('1m')
    expect(await statusFor('/dav/files/alice/', basic('alice', made.password))).toBe(401)
  })
})
