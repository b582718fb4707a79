import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { routeTable } from '../../src/app.ts'
import { request } from '../support/http-request.ts'
import { contactsOf } from '../support/invites.ts'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

type Json = Record<string, unknown>
interface StubAnswer {
  readonly status: number
  readonly body: Json
}

/** What we use of `ocm-core.js` of cs3org/OCM-stub: its protocol without TLS and sockets. */
interface StubCore {
  getLocalDiscovery(host: string, options: { publicKey?: string }): Json
  discoverPeer(host: string, deps: { fetch: (url: string) => Promise<unknown> }): Promise<Json>
  getProtocolRoutes(): { path: string; method: string }[]
  handleInviteAcceptedInbound(payload: unknown, state: Json): StubAnswer
  handleInvitesAcceptInbound(payload: unknown, state: Json): StubAnswer
  handleTokenRequest(asked: Json, state: { grants: Json }): StubAnswer
  createInviteState(token: string): Json
}

const checkout = process.env['OCM_STUB'] ?? ''
const load = () =>
  createRequire(import.meta.url)(join(resolve(checkout), 'ocm-core.js')) as StubCore
const name = 'the pure module of OCM-stub as an oracle'

if (checkout === '') console.warn(`NOT RUN: ${name}. OCM_STUB must name a checkout of it.`)
const whereThereIsOne = checkout === '' ? describe.skip : describe

whereThereIsOne(name, () => {
  let core: StubCore
  let server: TestServer
  let peer: IndependentPeer
  const origin = 'https://cloud.example.org'

  beforeAll(async () => {
    core = load()
    server = await startServer()
    peer = await independentPeer()
    await addAlice(server)
  })

  afterAll(async () => {
    await peer.close()
    await server.close()
  })

  it.each([
    ['/.well-known/ocm', []],
    ['/ocm-provider', ['/.well-known/ocm']],
  ])('reads our discovery document at %s', async (_path, closed: string[]) => {
    await using published = await startServer({ config: { publicUrl: origin } })
    const fetch = async (url: string) => {
      const { pathname } = new URL(url)
      const { status, json } = await request(published.url + pathname)
      return { ok: status === 200 && !closed.includes(pathname), json }
    }
    expect(await core.discoverPeer('cloud.example.org', { fetch })).toMatchObject({
      enabled: true,
      apiVersion: '1.4.0',
      endPoint: `${origin}/ocm`,
      tokenEndPoint: `${origin}/ocm/token`,
      capabilities: expect.arrayContaining(['invites', 'exchange-token']) as unknown,
      publicKey: expect.objectContaining({ keyId: `${origin}/ocm#signature` }) as unknown,
    })
  })

  it('writes a discovery document that we read', async () => {
    const document = core.getLocalDiscovery('stub.example.org', { publicKey: 'PEM' })
    await using stub = await independentPeer()
    stub.changeDiscovery({ ...document, endPoint: `${stub.url}/ocm`, jwksUri: undefined })
    const { discovery } = await server.services().peers.discover(stub.host)
    expect(discovery).toMatchObject({
      apiVersion: '1.2.0',
      tokenEndPoint: `${stub.url}/ocm/token`,
      capabilities: expect.arrayContaining(['invites', 'exchange-token']) as unknown,
    })
  })

  it('has no route that we lack', () => {
    const ours = routeTable(server.services()).flatMap(({ method, paths }) =>
      paths.map((path) => `${method} ${path}`),
    )
    const theirs = core.getProtocolRoutes().map(({ method, path }) => `${method} ${path}`)
    expect(ours).toEqual(expect.arrayContaining(theirs))
  })

  it.each(['handleInviteAcceptedInbound', 'handleInvitesAcceptInbound'] as const)(
    '%s takes our acceptance, and we its answers',
    async (handle) => {
      await using stub = await independentPeer()
      const token = `stub-invite-token-${handle}`
      const localUser = { userID: 'einstein', email: 'einstein@stub', name: 'Albert Einstein' }
      const state = { ...core.createInviteState(token), localUser }
      const said: number[] = []
      stub.takeOver('/ocm/invite-accepted', (req, res) => {
        void text(req).then((body) => {
          const answer = core[handle](JSON.parse(body), state)
          said.push(answer.status)
          res.writeHead(answer.status, { 'content-type': 'application/json' })
          res.end(JSON.stringify(answer.body))
        })
      })
      const use = (given: string) =>
        server.services().invites.accept('alice', `${given}@${stub.host}`)
      await expect(use('another-token')).rejects.toMatchObject({ code: 'invite_refused' })
      expect(await use(token)).toMatchObject({ address: `einstein@${stub.host}` })
      await expect(use(token)).rejects.toMatchObject({ code: 'invite_used' })
      expect(said).toEqual([400, 200, 409])
      const contact = { address: `einstein@${stub.host}`, name: 'Albert Einstein' }
      expect(await contactsOf(server, 'alice')).toContainEqual({ ...contact, source: 'accepted' })
    },
  )

  it.each([
    ['authorization_code', 'right', 200, 200],
    ['ocm_authorization_code', 'right', 200, 200],
    ['password', 'right', 400, 400],
    ['authorization_code', 'wrong', 403, 400],
  ])('a token request with %s and the %s code: %i, and from us %i', async (...row) => {
    const [grantType, which, theirs, ours] = row
    const { secret } = await shareWith(server, peer)
    const code = which === 'right' ? secret : 'x'.repeat(43)
    const grants = { [peer.host]: { [secret]: 'token' } }
    const judged = core.handleTokenRequest({ grantType, clientId: peer.host, code }, { grants })
    const asked = { grant_type: grantType, client_id: peer.host, code }
    const forms = [
      ['application/x-www-form-urlencoded', new URLSearchParams(asked).toString()],
      ['application/json', JSON.stringify(asked)],
    ] as const
    for (const [contentType, body] of forms) {
      const { status } = await peer.askToken(server, code, { contentType, body })
      expect([judged.status, status]).toEqual([theirs, ours])
    }
  })
})
