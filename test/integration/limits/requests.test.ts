import { afterEach, describe, expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { request, type Answer } from '../../support/http-request.ts'
import { expectInvariants } from '../../support/invariants.ts'
import { offerOf } from '../../support/offer.ts'
import { independentPeer } from '../../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../../support/share-with.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

let server: TestServer

afterEach(() => server.close())

const from = (address: string) => ({ 'x-forwarded-for': address })

async function start(limits: Record<string, unknown>): Promise<void> {
  server = await startServer({ config: { trustProxy: ['127.0.0.1'], limits } })
}

const post = (path: string, address: string): Promise<Answer> =>
  request(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...from(address) },
    body: '{}',
  })

const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status)

async function inTurn<T>(count: number, ask: (index: number) => Promise<T>): Promise<T[]> {
  const all: T[] = []
  for (let index = 0; index < count; index += 1) all.push(await ask(index))
  return all
}

const reached = () => server.log.entries().filter(({ event }) => event === 'limit.reached')

/** A window of a second has to end some time. */
async function eventually(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask()
    if (answer.status !== 429) return answer
    await sleep(100)
  }
}

describe('how often an address may ask (G6)', () => {
  const once = { requests: 3, windowSeconds: 1 }

  it.each(['/.well-known/ocm', '/.well-known/jwks.json'])('%s', async (path) => {
    await start({ discovery: { requests: 3, windowSeconds: 3600 } })
    const get = (address: string) => request(server.url + path, { headers: from(address) })
    expect(statuses(await inTurn(3, () => get('203.0.113.7')))).toEqual([200, 200, 200])
    const [refused] = await expectInvariants(server, () => get('203.0.113.7'))
    expect(refused?.status).toBe(429)
    expect(Number(refused?.headers['retry-after'])).toBeLessThanOrEqual(3600)
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(3000)
    expect(refused?.json()).toEqual({ message: 'Too many requests; try again later.' })
    expect((await get('203.0.113.8')).status).toBe(200)
    await inTurn(5, () => get('203.0.113.7'))
    expect(reached()).toMatchObject([{ limit: 'discovery', by: 'address', who: '203.0.113.7' }])
  })

  it('which for IPv6 is a network of 64 bits', async () => {
    await start({ discovery: { requests: 3, windowSeconds: 3600 } })
    const get = (address: string) =>
      request(`${server.url}/.well-known/ocm`, { headers: from(address) })
    await inTurn(3, (index) => get(`2001:db8:1:2::${index}`))
    expect((await get('2001:db8:1:2:ffff::1')).status).toBe(429)
    expect((await get('2001:db8:1:3::1')).status).toBe(200)
    expect(reached()).toMatchObject([{ who: '2001:db8:1:2::/64' }])
  })

  it('and may again when the window has ended', async () => {
    await start({ discovery: once })
    const get = () => request(`${server.url}/.well-known/ocm`, { headers: from('203.0.113.7') })
    while ((await get()).status !== 429);
    expect((await eventually(get)).status).toBe(200)
  })

  it('tells us things: shares, notifications and invites count together', async () => {
    await start({ messages: { perAddress: 3, windowSeconds: 3600 } })
    const paths = ['/ocm/shares', '/ocm/notifications', '/ocm/invite-accepted']
    const answers = await inTurn(3, (index) => post(paths[index] ?? '', '203.0.113.7'))
    for (const { status } of answers) expect([400, 401]).toContain(status)
    for (const path of paths) {
      const refused = await post(path, '203.0.113.7')
      expect([refused.status, refused.json()]).toEqual([
        429,
        { message: 'Too many requests; try again later.' },
      ])
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(3000)
      expect((await post(path, '203.0.113.8')).status).not.toBe(429)
    }
  })

  it('is refused a token, in the words of RFC 6749', async () => {
    await start({ token: { failures: 3, windowSeconds: 3600 } })
    const tries = await inTurn(3, () => post('/ocm/token', '203.0.113.7'))
    expect(statuses(tries)).toEqual([400, 400, 400])
    const refused = await post('/ocm/token', '203.0.113.7')
    expect([refused.status, refused.json()['error']]).toEqual([429, 'temporarily_unavailable'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(3000)
    expect(refused.headers['cache-control']).toBe('no-store')
    expect((await post('/ocm/token', '203.0.113.8')).status).toBe(400)
  })
})

describe('how often a peer may ask', () => {
  it('for tokens: only what it does not get is counted', async () => {
    await start({ token: { failures: 3, windowSeconds: 3600 } })
    await using peer = await independentPeer()
    await using other = await independentPeer()
    await addAlice(server)
    const { secret } = await shareWith(server, peer)
    const others = await shareWith(server, other)
    const good = await inTurn(10, () => peer.askToken(server, secret))
    expect(new Set(statuses(good))).toEqual(new Set([200]))
    const bad = await inTurn(3, (index) =>
      peer.askToken(server, `unknown-${index}`, { extra: from(`203.0.113.${index}`) }),
    )
    expect(statuses(bad)).toEqual([400, 400, 400])
    expect((await peer.askToken(server, secret)).status).toBe(429)
    expect((await other.askToken(server, others.secret)).status).toBe(200)
    expect(reached()).toMatchObject([{ limit: 'token', by: 'peer', who: peer.host }])
  })

  it('to take shares; who only claims to be the peer uses up nothing of its', async () => {
    await start({ messages: { perPeer: 3, windowSeconds: 3600 } })
    await server.addUser('marie')
    await using peer = await independentPeer()
    await using other = await independentPeer()
    const claims = (sender: string) =>
      request(`${server.url}/ocm/shares`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(offerOf(server, peer, { sender })),
      })
    expect(statuses(await inTurn(5, () => claims(`einstein@${peer.host}`)))).not.toContain(429)
    const taken = await inTurn(3, () => peer.offer(server, offerOf(server, peer)))
    expect(statuses(taken)).toEqual([201, 201, 201])
    const refused = await peer.offer(server, offerOf(server, peer))
    expect(refused.status).toBe(429)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(3000)
    expect((await other.offer(server, offerOf(server, other))).status).toBe(201)
    expect(await server.services().incoming.list()).toHaveLength(4)
  })
})
