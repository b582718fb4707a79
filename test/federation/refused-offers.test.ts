import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { expectInvariants } from '../support/invariants.ts'
import { offerOf, type Offer } from '../support/offer.ts'
import {
  independentPeer,
  type IndependentPeer,
  type TokenRequestOptions,
} from '../support/peer/independent-peer.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

let server: TestServer
let peer: IndependentPeer

beforeAll(async () => {
  server = await startServer()
  await server.addUser('marie')
  peer = await independentPeer()
  // Its keys are known from here on, so that a refusal asks nobody anything.
  await peer.offer(server, offerOf(server, peer))
})

afterAll(async () => {
  await peer.close()
  await server.close()
})

/** What is said to an offer that differs in this from a good one. */
async function refusalOf(change: Offer, how: TokenRequestOptions = {}) {
  const offer = offerOf(server, peer, change)
  const [answer] = await expectInvariants(server, () => peer.offer(server, offer, how))
  const names = (answer?.json()['validationErrors'] ?? []) as { name: string }[]
  return { status: answer?.status, names: names.map(({ name }) => name), text: answer?.text }
}

const named = (webdav: Offer) => ({
  protocol: { name: 'multi', webdav: { sharedSecret: 'geheim', uri: 'x', ...webdav } },
})

describe('what is missing or malformed is 400 and named as on the wire', () => {
  it.each([
    'shareWith',
    'name',
    'providerId',
    'owner',
    'sender',
    'shareType',
    'resourceType',
    'protocol',
  ])('%s', async (name) => {
    expect(await refusalOf({ [name]: undefined })).toMatchObject({ status: 400, names: [name] })
    for (const value of [null, '', {}, [], true]) {
      const refusal = await refusalOf({ [name]: value })
      expect([value, refusal.status]).toEqual([value, 400])
      expect(refusal.names[0]).toMatch(new RegExp(`^${name}`))
    }
  })

  it('everything at once', async () => {
    const answer = await peer.offer(server, {})
    expect(answer.status).toBe(400)
    expect((answer.json()['validationErrors'] as unknown[]).length).toBe(8)
  })

  it.each([
    ['protocol.name', { protocol: { webdav: { sharedSecret: 'geheim', uri: 'x' } } }],
    ['protocol.webdav.sharedSecret', { protocol: { name: 'multi', webdav: { uri: 'x' } } }],
    ['protocol.options.sharedSecret', { protocol: { name: 'webdav', options: {} } }],
    ['protocol.options.sharedSecret', { protocol: { name: 'webdav', options: [] } }],
    ['protocol.webdav.sharedSecret', named({ sharedSecret: 'gehe im' })],
    ['protocol.webdav.sharedSecret', named({ sharedSecret: 'geheim\n' })],
    ['protocol.webdav.sharedSecret', named({ sharedSecret: 'ünlesbar' })],
    ['protocol.webdav.sharedSecret', named({ sharedSecret: 'x'.repeat(4097) })],
    ['protocol.webdav.sharedSecret', named({ sharedSecret: 5 })],
    ['protocol.webdav.permissions', named({ permissions: 'read' })],
    ['protocol.webdav.requirements', named({ requirements: 'must-exchange-token' })],
    ['expiration', { expiration: 1 }],
    ['expiration', { expiration: -5 }],
    ['expiration', { expiration: 8.65e12 }],
    ['expiration', { expiration: 'tomorrow' }],
    ['providerId', { providerId: 'x'.repeat(256) }],
    ['providerId', { providerId: 'a\u0000b' }],
    ['providerId', { providerId: '\u202e24' }],
    ['providerId', { providerId: 1.5 }],
    ['sender', { sender: 'no-at-sign' }],
    ['sender', { sender: 'ein\u202estein@example.org' }],
    ['owner', { owner: '@example.org' }],
    ['shareWith', { shareWith: 'marie' }],
    ['shareWith', { shareWith: 'marie@elsewhere.example.org' }],
  ])('%s %j', async (name, change: Offer) => {
    expect(await refusalOf(change)).toMatchObject({ status: 400, names: [name] })
  })

  it.each([
    '../x',
    'a/b',
    'a\\b',
    '.',
    '..',
    ' ',
    'nul\u0000',
    'c1\u0085',
    'gnp\u202ecod',
    '\u2066x',
    'x\u200f',
    'x\u061c',
    '.davmesh-put-x',
    'x'.repeat(256),
    'x'.repeat(10_240),
  ])('name %j', async (name) => {
    expect(await refusalOf({ name })).toMatchObject({ status: 400, names: ['name'] })
  })

  it.each([
    'https://elsewhere.example.org/dav/x',
    'http://user:pw@PEER/x',
    'http://PEER/x#part',
    'http://PEER:1/x',
    'javascript:alert(1)',
    'file:///etc/passwd',
    '//elsewhere.example.org/x',
    '///x',
    '..',
    'a/../b',
    'a/%2e%2E/b',
    './a',
    'a//b',
    'a\\b',
    'a?b',
    'a b',
    'x'.repeat(1025),
  ])('uri %s', async (text) => {
    const uri = text.replace('PEER', peer.host)
    const refusal = await refusalOf(named({ uri }))
    expect(refusal).toMatchObject({ status: 400, names: ['protocol.webdav.uri'] })
  })
})

describe('what cannot be honoured is 501', () => {
  it.each([
    ['a group', { shareType: 'group' }],
    ['a federation', { shareType: 'federation' }],
    ['a calendar', { resourceType: 'calendar' }],
    ['another protocol', { protocol: { name: 'webapp', webapp: { uri: 'x' } } }],
    ['several others', { protocol: { name: 'multi', webapp: {}, datatx: {} } }],
    ['an unknown requirement', named({ requirements: ['must-exchange-token', 'must-sing'] })],
    ['a second factor', named({ requirements: ['must-use-mfa'] })],
    ['data transfer only', named({ accessTypes: ['datatx'] })],
  ])('%s', async (_case, change: Offer) => {
    expect((await refusalOf(change)).status).toBe(501)
  })
})

describe('a message that is none', () => {
  it.each([
    ['no media type', { contentType: '' }, 415],
    ['a form', { contentType: 'application/x-www-form-urlencoded' }, 415],
    ['another charset', { contentType: 'application/json; charset=latin1' }, 415],
    ['compressed', { extra: { 'content-encoding': 'gzip' } }, 415],
    ['65,537 bytes', { body: `"${'x'.repeat(65_535)}"` }, 413],
    ['21 levels', { body: '['.repeat(21) + ']'.repeat(21) }, 400],
    ['half a document', { body: '{"name":' }, 400],
    ['an empty body', { body: '' }, 400],
    ['a list', { body: '[]' }, 400],
    ['a byte order mark', { body: '\ufeff{}' }, 400],
    ['a poisoned prototype', { body: '{"__proto__":{"a":1}}' }, 400],
    ['half a character', { body: '{"name":"\\ud800"}' }, 400],
    ['a number beyond all', { body: '{"expiration":1e400}' }, 400],
    ['an altered body', { body: '{"name":"a"}', sentBody: '{"name":"b"}' }, 400],
  ])('%s', async (_case, how: TokenRequestOptions, status) => {
    expect((await refusalOf({}, how)).status).toBe(status)
  })
})

describe('who sent it', () => {
  it('is refused unsigned, when it once said that it signs', async () => {
    const offer = offerOf(server, peer)
    expect((await peer.offer(server, offer, { unsigned: true })).status).toBe(401)
    expect(await server.services().incoming.list()).toHaveLength(1)
  })

  it('is refused with a signature of somebody else, and nobody is asked', async () => {
    await using other = await independentPeer()
    const offer = offerOf(server, peer)
    const [answer] = await expectInvariants(server, () =>
      peer.offer(server, offer, { key: other.key }),
    )
    expect(answer?.status).toBe(403)
  })

  it('is refused with a key it does not publish, or a signature that is wrong', async () => {
    await using other = await independentPeer()
    const offer = offerOf(server, peer)
    const asPeer = { ...other.key, keyId: peer.key.keyId }
    expect((await peer.offer(server, offer, { key: asPeer })).status).toBe(401)
    const tagged = { parameters: { created: '1' } }
    expect((await peer.offer(server, offer, tagged)).status).toBe(401)
    expect(await server.services().incoming.findOffers(String(offer['providerId']))).toEqual([])
  })

  it('speaks for its own server only', async () => {
    const refusal = await refusalOf({ owner: 'somebody@elsewhere.example.org' })
    expect(refusal.status).toBe(403)
    expect((await refusalOf({ sender: 'somebody@elsewhere.example.org' })).status).toBe(403)
  })

  it('is asked for its keys, and when it has none to give that is 502', async () => {
    await using broken = await independentPeer()
    broken.takeOver('/ocm/jwks', (_req, res) => void res.writeHead(500).end())
    expect((await broken.offer(server, offerOf(server, broken))).status).toBe(502)
    await using gone = await independentPeer({ flavour: 'ocm-stub' })
    gone.takeOver('/.well-known/ocm', (_req, res) => void res.writeHead(500).end())
    const unsigned = { unsigned: true }
    expect((await gone.offer(server, offerOf(server, gone), unsigned)).status).toBe(502)
    expect(await server.services().incoming.list()).toHaveLength(1)
  })

  it('may be a peer that does not sign at all, unless signatures are required', async () => {
    await using stub = await independentPeer({ flavour: 'ocm-stub' })
    await using lax = await startServer()
    await lax.addUser('marie')
    const unsigned = { unsigned: true }
    expect((await stub.offer(lax, offerOf(lax, stub), unsigned)).status).toBe(201)
    await using strict = await startServer({ config: { federation: { requireSignatures: true } } })
    await strict.addUser('marie')
    const [answer] = await expectInvariants(strict, () =>
      stub.offer(strict, offerOf(strict, stub), unsigned),
    )
    expect(answer?.status).toBe(401)
  })

  it('may be denied, in one sentence', async () => {
    await using closed = await startServer({ config: { federation: { deny: [peer.host] } } })
    await closed.addUser('marie')
    const answers = await expectInvariants(closed, async () => [
      await peer.offer(closed, offerOf(closed, peer)),
      await peer.offer(closed, offerOf(closed, peer, { shareWith: `nobody@${closed.authority}` })),
      await peer.offer(closed, offerOf(closed, peer), { unsigned: true }),
    ])
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(answers[0]?.status).toBe(403)
  })
})

describe('what the server asks of senders', () => {
  it('an unknown and a disabled user are the same', async () => {
    await server.addUser('gone')
    await server.services().users.disableUser('gone')
    const unknown = await refusalOf({ shareWith: `nobody@${server.authority}` })
    const disabled = await refusalOf({ shareWith: `gone@${server.authority}` })
    expect(unknown).toMatchObject({ status: 400, names: ['shareWith'] })
    expect(disabled).toEqual(unknown)
  })

  it('with requireTokenExchange, only strict shares', async () => {
    const federation = { requireTokenExchange: true }
    await using strict = await startServer({ config: { federation } })
    await strict.addUser('marie')
    const refused = await peer.offer(strict, offerOf(strict, peer))
    expect(refused.status).toBe(400)
    expect(refused.json()['validationErrors']).toMatchObject([
      { name: 'protocol.webdav.requirements' },
    ])
    const offer = offerOf(strict, peer, named({ requirements: ['must-exchange-token'] }))
    expect((await peer.offer(strict, offer)).status).toBe(201)
  })
})
