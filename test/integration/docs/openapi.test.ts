import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { routeTable } from '../../../src/app.ts'
import { request, type Answer } from '../../support/http-request.ts'
import { acceptanceOf, bring, type Bringing } from '../../support/invites.ts'
import { offerOf } from '../../support/offer.ts'
import { contract, expectDocumented, requestFaults, schemaFaults } from '../../support/openapi.ts'
import { independentPeer, type IndependentPeer } from '../../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../../support/share-with.ts'
import { startServer, type ServerOptions, type TestServer } from '../../support/start-server.ts'

const operations = Object.entries(contract.paths).flatMap(([path, item]) =>
  Object.keys(item).map((method) => ({ method, path })),
)
const pathsOf = (method: string) =>
  operations.filter((one) => one.method === method).map(({ path }) => path)

const form = 'application/x-www-form-urlencoded'
const tokenPath = '/ocm/token'
const sharesPath = '/ocm/shares'
const noticesPath = '/ocm/notifications'
const invitePaths = ['/ocm/invite-accepted', '/ocm/invites/accept']

/** A server that a peer has every reason to write to. */
async function stage(options: ServerOptions = {}) {
  const server = await startServer(options)
  const peer = await independentPeer()
  await addAlice(server)
  await server.addUser('marie')
  const share = (permissions: ('read' | 'share')[] = ['read', 'share']) =>
    shareWith(server, peer, { permissions })
  const notice = (providerId: string, notificationType = 'SHARE_ACCEPTED', more = {}) => ({
    notificationType,
    resourceType: 'folder',
    providerId,
    ...more,
  })
  const acceptance = async () =>
    acceptanceOf(peer, (await server.services().invites.create('alice')).invite)
  const tokenForm = async (change: Record<string, string> = {}) => {
    const code = (await share()).secret
    const fields = { grant_type: 'authorization_code', client_id: peer.host, code, ...change }
    return new URLSearchParams(fields).toString()
  }
  /** What is answered with a success. */
  async function good(path: string): Promise<unknown> {
    if (path === tokenPath) return tokenForm()
    if (path === sharesPath) return offerOf(server, peer)
    if (path === noticesPath) return notice((await share()).id)
    return acceptance()
  }
  const post = (path: string, body: unknown, how: Bringing & { from?: IndependentPeer } = {}) => {
    const contentType = path === tokenPath ? form : 'application/json'
    return bring(server, how.from ?? peer, body, { contentType, ...how, path })
  }
  const close = async () => {
    await peer.close()
    await server.close()
  }
  const verbs = { share, notice, acceptance, tokenForm, good, post }
  return { server, peer, ...verbs, [Symbol.asyncDispose]: close }
}

type Stage = Awaited<ReturnType<typeof stage>>

let here: Stage
let server: TestServer
let peer: IndependentPeer
let stranger: IndependentPeer
let denied: IndependentPeer
/** Had a share, and cannot be reached any more. */
let gone: IndependentPeer
let goneShare: string

const answered = new Set<string>()

/** The answer has this status, and the contract has the answer. */
function check(method: string, path: string, answer: Answer, status: number): void {
  expect([path, answer.status, answer.text]).toEqual([path, status, answer.text])
  expectDocumented(method, path, answer)
  answered.add(`${method} ${path} ${status}`)
}

beforeAll(async () => {
  denied = await independentPeer()
  here = await stage({
    config: {
      federation: { reshare: true, deny: [denied.host] },
      limits: { token: { exchanges: 3, windowSeconds: 3600 } },
    },
  })
  server = here.server
  peer = here.peer
  stranger = await independentPeer()
  gone = await independentPeer()
  goneShare = (await shareWith(server, gone)).id
  await gone.close()
})

afterAll(async () => {
  await Promise.all([denied.close(), stranger.close()])
  await here[Symbol.asyncDispose]()
})

describe('docs/openapi.json', () => {
  it('has the routes of the server, and no others', () => {
    const served = routeTable(server.services()).flatMap(({ method, paths }) =>
      paths.map((path) => `${method.toLowerCase()} ${path}`),
    )
    expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(served.sort())
  })

  it.each(Object.keys(contract.components.schemas))('%s is a JSON Schema', (name) => {
    expect(schemaFaults(name)).toBeUndefined()
  })

  it.each(pathsOf('get'))('GET %s: 200', async (path) => {
    check('get', path, await request(server.url + path), 200)
  })

  it('describes the discovery document of every policy', async () => {
    const federation = {
      ...{ requireInvite: true, requireSignatures: true, requireTokenExchange: true },
      ...{ allow: ['a.example.org'], deny: ['b.example.org'] },
    }
    await using strict = await startServer({
      config: { federation, signatures: { legacy: false } },
    })
    for (const agent of ['Nextcloud Server Crawler', 'curl']) {
      const headers = { 'user-agent': agent }
      const answer = await request(`${strict.url}/.well-known/ocm`, { headers })
      check('get', '/.well-known/ocm', answer, 200)
    }
  })

  it.each(pathsOf('post'))('POST %s: what succeeds is a request of it', async (path) => {
    const body = await here.good(path)
    const told = path === tokenPath ? Object.fromEntries(new URLSearchParams(String(body))) : body
    expect(requestFaults(path, told)).toEqual([])
    const status = path === sharesPath || path === noticesPath ? 201 : 200
    check('post', path, await here.post(path, body), status)
  })
})

describe('what it says of every POST', () => {
  const everywhere = pathsOf('post').map((path) => [path] as const)
  const big = 'x'.repeat(64 * 1024 + 1)

  it.each(everywhere)('%s: 400', async (path) => {
    check('post', path, await here.post(path, path === tokenPath ? 'x=1' : {}), 400)
    check('post', path, await here.post(path, '{'), 400)
    const altered = { sentBody: ' '.repeat(JSON.stringify({}).length) }
    check('post', path, await here.post(path, '{}', altered), 400)
  })

  it.each(everywhere)('%s: 401', async (path) => {
    const body = await here.good(path)
    check('post', path, await here.post(path, body, { unsigned: true }), 401)
    check('post', path, await here.post(path, body, { created: 1 }), 401)
    check('post', path, await here.post(path, body, { signWith: stranger.key.privateKey }), 401)
  })

  it.each(everywhere)('%s: 413', async (path) => {
    check('post', path, await here.post(path, big), 413)
  })

  it.each(everywhere)('%s: 415', async (path) => {
    const fields = { 'content-encoding': 'gzip' }
    check('post', path, await here.post(path, '{}', { fields }), 415)
  })

  it.each(everywhere)('%s: 421', async (path) => {
    check('post', path, await here.post(path, '{}', { fields: { host: 'evil.example.org' } }), 421)
  })

  it('408', async () => {
    await Promise.all(
      everywhere.map(async ([path]) => {
        const headers = { 'content-length': '10', 'content-type': 'application/json' }
        const sent = { method: 'POST', headers, body: '{', unfinished: true }
        check('post', path, await request(server.url + path, sent), 408)
      }),
    )
  }, 20_000)

  it('500', async () => {
    await using broken = await stage()
    const bodies = await Promise.all(everywhere.map(([path]) => broken.good(path)))
    broken.server.services().db.raw.reader.close()
    for (const [index, [path]] of everywhere.entries()) {
      check('post', path, await broken.post(path, bodies[index]), 500)
    }
  })

  it('503', async () => {
    await using busy = await stage()
    const bodies = await Promise.all(everywhere.map(([path]) => busy.good(path)))
    const other = new Sqlite(busy.server.services().db.path)
    other.exec('BEGIN IMMEDIATE')
    const answers = everywhere.map(([path], index) => busy.post(path, bodies[index]))
    for (const [index, [path]] of everywhere.entries()) {
      const answer = await answers[index]
      if (answer) check('post', path, answer, 503)
      expect(answer?.headers['retry-after']).toBe('1')
    }
    other.close()
  }, 30_000)
})

describe('what it says of GET', () => {
  it('500', async () => {
    await using broken = await startServer({ courier: false })
    broken.services().db.raw.reader.close()
    for (const path of pathsOf('get')) {
      if (!('500' in (contract.paths[path]?.['get']?.responses ?? {}))) continue
      check('get', path, await request(broken.url + path), 500)
    }
  })
})

describe('what it says of readiness', () => {
  it('503', async () => {
    await using broken = await startServer({ courier: false })
    broken.services().db.raw.reader.close()
    check('get', '/readyz', await request(`${broken.url}/readyz`), 503)
  })
})

describe('what it says of the token endpoint', () => {
  it('403, 502', async () => {
    const ask = async (from: IndependentPeer) =>
      here.post(tokenPath, await here.tokenForm({ client_id: from.host }), { from })
    check('post', tokenPath, await ask(denied), 403)
    check('post', tokenPath, await ask(gone), 502)
  })

  it('429', async () => {
    const body = await here.tokenForm()
    for (const time of [1, 2, 3]) {
      expect([time, (await here.post(tokenPath, body)).status]).toEqual([time, 200])
    }
    const answer = await here.post(tokenPath, body)
    check('post', tokenPath, answer, 429)
    expect(answer.headers['retry-after']).toMatch(/^\d+$/)
  })

  it.each(['password', 'authorization_code'])('400 for %s and a wrong code', async (grant) => {
    const body = await here.tokenForm({ grant_type: grant, code: 'x' })
    check('post', tokenPath, await here.post(tokenPath, body), 400)
  })
})

describe('what it says of offers', () => {
  const offer = (change = {}, how = {}) =>
    here.post(sharesPath, { ...offerOf(server, peer), ...change }, how)

  it('403', async () => {
    check('post', sharesPath, await offer({ owner: `eve@${stranger.host}` }), 403)
    check('post', sharesPath, await offer({}, { from: stranger }), 403)
  })

  it('409', async () => {
    const change = { providerId: 'one' }
    check('post', sharesPath, await offer(change), 201)
    check('post', sharesPath, await offer(change), 409)
  })

  it('501', async () => {
    check('post', sharesPath, await offer({ shareType: 'group' }), 501)
  })

  it('502', async () => {
    const einstein = `einstein@${gone.host}`
    const answer = await offer({ sender: einstein, owner: einstein }, { from: gone })
    check('post', sharesPath, answer, 502)
  })
})

describe('what it says of notifications', () => {
  const say = (body: unknown, how = {}) => here.post(noticesPath, body, how)

  it('201 with what a reshare is undone with', async () => {
    const shareWith = `carol@${stranger.host}`
    const more = { notification: { shareWith, shareType: 'user' } }
    const answer = await say(here.notice((await here.share()).id, 'REQUEST_RESHARE', more))
    check('post', noticesPath, answer, 201)
    expect(Object.keys(answer.json())).toEqual(['token', 'providerId'])
  })

  it('403', async () => {
    const { id } = await here.share()
    check('post', noticesPath, await say(here.notice(id), { from: denied }), 403)
  })

  it('409', async () => {
    const { id } = await here.share()
    check('post', noticesPath, await say(here.notice(id, 'SHARE_DECLINED')), 201)
    check('post', noticesPath, await say(here.notice(id)), 409)
  })

  it('501', async () => {
    check('post', noticesPath, await say(here.notice('x', 'SHARE_PRAISED')), 501)
  })

  it('502', async () => {
    check('post', noticesPath, await say(here.notice(goneShare), { from: gone }), 502)
  })
})

describe.each(invitePaths)('what it says of %s', (path) => {
  it('403', async () => {
    check('post', path, await here.post(path, await here.acceptance(), { from: stranger }), 403)
  })

  it('409, with the identity for whom it is known', async () => {
    const body = await here.acceptance()
    check('post', path, await here.post(path, body), 200)
    const again = await here.post(path, body)
    check('post', path, again, 409)
    expect(again.json()).toHaveProperty('userID', 'alice')
    const other = await here.post(path, { ...body, userID: 'eve' })
    check('post', path, other, 409)
    expect(other.json()).toHaveProperty('message')
  })

  it('502', async () => {
    const body = { ...(await here.acceptance()), recipientProvider: gone.host }
    check('post', path, await here.post(path, body, { from: gone }), 502)
  })
})

describe('all of it', () => {
  it('was answered by a server', () => {
    const documented = Object.entries(contract.paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, { responses }]) =>
        Object.keys(responses).map((status) => `${method} ${path} ${status}`),
      ),
    )
    const explicit = documented.filter((line) => !line.endsWith('default'))
    expect([...answered].sort()).toEqual(explicit.sort())
  })
})
