import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { readFixture } from '../support/fixtures.ts'
import { offerOf } from '../support/offer.ts'
import { newLegacyKey, signLegacy } from '../support/peer/cavage.ts'
import {
  independentPeer,
  type IndependentPeer,
  type PeerOptions,
  type TokenRequestOptions,
} from '../support/peer/independent-peer.ts'
import { newPeerKey } from '../support/peer/signing.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

/** Many messages and commands take a while on a busy machine. */
jest.setTimeout(30_000)

let server: TestServer
let peer: IndependentPeer

const open = async (options: PeerOptions = {}): Promise<void> =>
  void (peer = await independentPeer(options))

beforeEach(async () => {
  server = await startServer()
  await server.addUser('marie')
})

afterEach(async () => {
  await Promise.all([peer.close(), server.close()])
})

/** Fifty different offers at the same time, and the statuses they got. */
async function flood(how: TokenRequestOptions = {}): Promise<number[]> {
  const offers = Array.from({ length: 50 }, () => offerOf(server, peer))
  const answers = await Promise.all(offers.map((offer) => peer.offer(server, offer, how)))
  return [...new Set(answers.map(({ status }) => status))]
}

const unsigned = { unsigned: true }
const wellKnown = 'GET /.well-known/ocm'

describe('a server in whose name a flood comes', () => {
  it('is asked once what it is, then not for five minutes', async () => {
    await open({ flavour: 'ocm-stub' })
    expect(await flood(unsigned)).toEqual([201])
    expect(peer.requests).toEqual([wellKnown])
    server.clock.advance('299s')
    expect(await flood(unsigned)).toEqual([201])
    expect(peer.requests).toHaveLength(1)
    server.clock.advance('1s')
    expect(await flood(unsigned)).toEqual([201])
    expect(peer.requests).toEqual([wellKnown, wellKnown])
    // One try by https before each, which this peer does not speak.
    expect(server.outboundCalls()).toBeLessThanOrEqual(4)
    expect(await server.services().peers.list()).toEqual([])
  })

  it('is asked once when it cannot say, then not for half a minute', async () => {
    await open({ flavour: 'ocm-stub' })
    peer.takeOver('/.well-known/ocm', (_req, res) => void res.writeHead(500).end())
    const once = [wellKnown, 'GET /ocm-provider']
    expect(await flood(unsigned)).toEqual([502])
    expect(peer.requests).toEqual(once)
    server.clock.advance('29s')
    expect(await flood(unsigned)).toEqual([502])
    expect(peer.requests).toEqual(once)
    server.clock.advance('1s')
    expect(await flood(unsigned)).toEqual([502])
    expect(peer.requests).toEqual([...once, ...once])
    expect(await server.services().peers.list()).toEqual([])
  })

  it('is asked once for its keys', async () => {
    await open()
    expect(await flood()).toEqual([201])
    expect(peer.requests).toEqual([wellKnown, 'GET /ocm/jwks'])
    expect(await flood()).toEqual([201])
    expect(peer.requests).toHaveLength(2)
  })

  it('is asked once more for a key that it does not publish, and after half a minute again', async () => {
    await open()
    await flood()
    const rotated = newPeerKey(`${peer.url}/ocm#rotated`)
    server.clock.advance('30s')
    expect(await flood({ key: rotated })).toEqual([401])
    expect(await flood({ key: rotated })).toEqual([401])
    expect(peer.requests.slice(2)).toEqual(['GET /ocm/jwks'])
    peer.publishKeys([peer.key.jwk, rotated.jwk])
    expect(await flood({ key: rotated })).toEqual([401])
    expect(peer.requests).toHaveLength(3)
    server.clock.advance('30s')
    expect(await flood({ key: rotated })).toEqual([201])
    expect(peer.requests.slice(2)).toEqual(['GET /ocm/jwks', 'GET /ocm/jwks'])
  })

  it('is asked once for keys that it cannot give, and after half a minute again', async () => {
    await open()
    peer.takeOver('/ocm/jwks', (_req, res) => void res.writeHead(503).end())
    expect(await flood()).toEqual([502])
    expect(await flood()).toEqual([502])
    expect(peer.requests).toEqual([wellKnown, 'GET /ocm/jwks'])
    server.clock.advance('30s')
    peer.takeOver('/ocm/jwks', (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' })
      res.end(JSON.stringify({ keys: [peer.key.jwk] }))
    })
    expect(await flood()).toEqual([201])
    expect(peer.requests.slice(2)).toEqual(['GET /ocm/jwks'])
  })

  it('is asked once more for a key of draft-cavage that fits no signature', async () => {
    await open({ flavour: 'nextcloud-v32-cavage' })
    const key = newLegacyKey(`${peer.url}/ocm#signature`)
    peer.changeDiscovery({ publicKey: key.publicKey })
    const forged = newLegacyKey(key.keyId)
    const body = JSON.stringify(offerOf(server, peer))
    const message = { method: 'POST', targetUri: `${server.url}/ocm/shares`, body }
    const send = async (by: typeof key) => {
      const extra = signLegacy(message, by, server.clock.seconds())
      return (await peer.offer(server, {}, { unsigned: true, body, extra })).status
    }
    expect(await send(key)).toBe(201)
    const statuses = await Promise.all(Array.from({ length: 50 }, () => send(forged)))
    expect(new Set(statuses)).toEqual(new Set([401]))
    expect(peer.requests).toEqual([wellKnown, wellKnown])
    server.clock.advance('30s')
    expect(await send(forged)).toBe(401)
    expect(peer.requests).toHaveLength(3)
  })
})

describe('a JWK Set that cannot be used', () => {
  const negative = readFixture('jwks/negative') as Record<string, { keys: object[] }>

  it.each(Object.keys(negative))('%s lets nobody in, and is looked at once', async (name) => {
    await open()
    const keys = negative[name]?.keys ?? []
    peer.publishKeys(keys.map((key) => ({ ...key, kid: peer.key.keyId })))
    expect(await flood()).toEqual([401])
    expect(peer.requests).toEqual([wellKnown, 'GET /ocm/jwks'])
    expect(await server.services().incoming.list()).toEqual([])
  })
})
