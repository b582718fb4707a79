import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { text } from 'node:stream/consumers'
import { readFixture } from '../support/fixtures.ts'
import { contactsOf } from '../support/invites.ts'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

interface Reply {
  readonly status: number
  readonly body: Record<string, unknown>
}

interface Exchanges {
  readonly accept: { request: object; ok: Reply }
  readonly acceptReplay: Record<string, Reply>
  readonly badToken: Record<string, Reply>
  readonly missingEmailOcmgo: { ocmgo: Reply }
  readonly untrustedOcmgo: Reply
  readonly wrongContentTypeOcmgo: Reply
}

const exchanges = readFixture('invites/exchanges') as Exchanges

it('every recorded exchange is known here, or to the test of the wire', () => {
  const { accept, acceptReplay, badToken, missingEmailOcmgo, ...others } = exchanges
  expect(
    [accept, acceptReplay, badToken, missingEmailOcmgo].map((one) => Object.keys(one)),
  ).toEqual([
    ['request', 'ok'],
    ['request', 'conflictNextcloud', 'conflictOcmgo', 'conflictOpenCloud', 'conflictStub'],
    ['request', 'nextcloud', 'ocmgo', 'opencloudUnknown', 'opencloudExpired', 'stub'],
    ['request', 'ocmgo'],
  ])
  expect(Object.keys(others)).toEqual(['untrustedOcmgo', 'wrongContentTypeOcmgo', 'oldRevaBody'])
})

describe('using an invite of a peer', () => {
  let server: TestServer
  let peer: IndependentPeer
  let received: Record<string, unknown>[] = []

  beforeAll(async () => {
    server = await startServer()
    peer = await independentPeer()
    await server.addUser('alice')
  })

  beforeEach(() => {
    received = []
  })

  afterAll(async () => {
    await Promise.all([peer.close(), server.close()])
  })

  const answerWith = ({ status, body }: { status: number; body?: unknown }) =>
    peer.takeOver('/ocm/invite-accepted', (req, res) => {
      void text(req).then((sent) => {
        received.push(JSON.parse(sent) as Record<string, unknown>)
        res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      })
    })
  const use = () => server.services().invites.accept('alice', `tok-${'x'.repeat(40)}@${peer.host}`)

  it('says who accepts, in all five members', async () => {
    answerWith(exchanges.accept.ok)
    const contact = await use()
    expect(contact).toMatchObject({
      address: `einstein@${peer.host}`,
      name: 'Albert Einstein',
      source: 'accepted',
    })
    expect(Object.keys(received[0] ?? {})).toEqual(Object.keys(exchanges.accept.request))
    expect(received).toEqual([
      {
        recipientProvider: server.authority,
        token: `tok-${'x'.repeat(40)}`,
        userID: 'alice',
        email: `alice@${server.authority}`,
        name: 'alice',
      },
    ])
    await server.services().contacts.remove('alice', contact.address)
  })

  it('takes 409 with an identity as done before', async () => {
    const { conflictOcmgo } = exchanges.acceptReplay
    answerWith(conflictOcmgo ?? { status: 0 })
    const { address } = await use()
    expect(address).toBe(`${String(conflictOcmgo?.body['userID'])}@${peer.host}`)
    await server.services().contacts.remove('alice', address)
  })

  it.each([
    ['conflictNextcloud', exchanges.acceptReplay['conflictNextcloud'], 'invite_used'],
    ['conflictOpenCloud', exchanges.acceptReplay['conflictOpenCloud'], 'invite_used'],
    ['conflictStub', exchanges.acceptReplay['conflictStub'], 'invite_used'],
    ...['nextcloud', 'ocmgo', 'opencloudUnknown', 'opencloudExpired', 'stub'].map(
      (name) => [name, exchanges.badToken[name], 'invite_refused'] as const,
    ),
    ['missingEmail', exchanges.missingEmailOcmgo.ocmgo, 'invite_refused'],
    ['untrusted', exchanges.untrustedOcmgo, 'invite_refused'],
    ['wrong type', exchanges.wrongContentTypeOcmgo, 'invite_refused'],
    ['no identity', { status: 200, body: {} }, 'invite_refused'],
    ['an empty user id', { status: 200, body: { userID: '' } }, 'invite_refused'],
    ['an error of its own', { status: 500, body: {} }, 'invite_refused'],
    ['a redirect', { status: 302, body: {} }, 'redirect_refused'],
  ] as const)('stores nothing after %s', async (_name, reply, code) => {
    answerWith(reply ?? { status: 0 })
    await expect(use()).rejects.toMatchObject({ code })
    expect(await contactsOf(server, 'alice')).toEqual([])
    expect(server.log.text()).not.toContain('x'.repeat(40))
  })

  it('can be tried again after no answer', async () => {
    peer.takeOver('/ocm/invite-accepted', (req) => req.socket.destroy())
    await expect(use()).rejects.toMatchObject({ kind: 'upstream' })
    expect(await contactsOf(server, 'alice')).toEqual([])
    answerWith(exchanges.accept.ok)
    expect((await use()).address).toBe(`einstein@${peer.host}`)
  })

  it('asks nobody who is denied', async () => {
    await using denied = await independentPeer()
    await server.services().peers.setTrust(denied.host, 'denied')
    const accept = server.services().invites.accept('alice', `token@${denied.host}`)
    await expect(accept).rejects.toMatchObject({ code: 'peer_denied' })
    expect(denied.requests).toEqual([])
  })
})
