import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { expectInvariants } from '../support/invariants.ts'
import {
  independentPeer,
  type Hostile,
  type IndependentPeer,
} from '../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

const outbound = { timeoutMs: 300, maxResponseBytes: 100_000 }
const json = { 'content-type': 'application/json' }

/** Writes until the other side has had enough; the interval ends with the socket. */
const endless: Hostile = (_req, res) => {
  res.writeHead(200, json).write('{"keys":[')
  const pour = setInterval(() => res.write(`"${'x'.repeat(20_000)}",`), 1)
  res.on('close', () => clearInterval(pour))
}
const drip: Hostile = (_req, res) => {
  res.writeHead(200, json)
  const drop = setInterval(() => res.write(' '), 20)
  res.on('close', () => clearInterval(drop))
}
const silent: Hostile = () => undefined
const reset: Hostile = (req) => void req.socket.resetAndDestroy()
const cut: Hostile = (req, res) => {
  res.writeHead(200, { ...json, 'content-length': '5000' })
  res.write('{"keys"', () => req.socket.destroy())
}
const text =
  (body: string | Buffer, headers: Record<string, string> = json, status = 200): Hostile =>
  (_req, res) =>
    void res.writeHead(status, headers).end(body)
const redirect = (location: string, status = 302) => text('', { location }, status)
const noHttp: Hostile = (req) => void req.socket.end('SSH-2.0-OpenSSH_9.2\r\n')
const manyKeys = (): string => {
  const members = Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":0`)
  return `{${members.join(',')}}`
}

/** What any of our outbound calls may meet; `elsewhere` is where redirects lead. */
const attacks: Record<string, (elsewhere: string) => Hostile> = {
  'an endless body (H5)': () => endless,
  'a byte every 20 ms (H5)': () => drip,
  'silence (H5)': () => silent,
  'a gzip bomb (H5)': () =>
    text(gzipSync(Buffer.alloc(10_000_000)), { ...json, 'content-encoding': 'gzip' }),
  'a Content-Length of 10 GB (H5)': () => (_req: IncomingMessage, res: ServerResponse) =>
    void res.writeHead(200, { ...json, 'content-length': '10000000000' }).write('{'),
  'a million keys (H8)': () => text(manyKeys()),
  'HTML (H8)': () => text('<!doctype html><title>Welcome</title>', { 'content-type': 'text/html' }),
  'broken JSON (H8)': () => text('{"keys":['),
  'JSON nested 1,000 deep (H8)': () => text('['.repeat(1000) + ']'.repeat(1000)),
  'a poisoned prototype (H8)': () => text('{"__proto__":{"enabled":true}}'),
  'null (H8)': () => text('null'),
  'an empty body (H8)': () => text(''),
  'status 500': () => text('{"message":"boom"}', json, 500),
  'a redirect to another host (H4)': (elsewhere) => redirect(elsewhere),
  'a redirect 307 to another host (H4)': (elsewhere) => redirect(elsewhere, 307),
  'a redirect to itself (H4)': () => (req: IncomingMessage, res: ServerResponse) =>
    void res.writeHead(302, { location: req.url ?? '' }).end(),
  'a redirect to a file (H4)': () => redirect('file:///etc/passwd'),
  'a reset connection': () => reset,
  'a connection that ends too soon': () => cut,
  'another protocol': () => noHttp,
  '17 KiB of headers': () => text('{}', { ...json, 'x-long': 'h'.repeat(17_000) }),
}
const rows = Object.entries(attacks)

let server: TestServer
let elsewhere: IndependentPeer

beforeAll(async () => {
  server = await startServer({ config: { outbound } })
  elsewhere = await independentPeer()
  await addAlice(server)
})

afterAll(async () => {
  await Promise.all([elsewhere.close(), server.close()])
})

const share = (peer: IndependentPeer) =>
  server.services().shares.createShare({
    owner: 'alice',
    path: '/Holiday',
    recipient: `bob@${peer.host}`,
  })

describe('a peer whose discovery answers with', () => {
  it.each(rows)('%s cannot be shared with, and nothing is stored', async (_name, attack) => {
    await using peer = await independentPeer()
    for (const path of ['/.well-known/ocm', '/ocm-provider']) {
      peer.takeOver(path, attack(`${elsewhere.url}/.well-known/ocm`))
    }
    const calls = server.outboundCalls()
    await expect(share(peer)).rejects.toMatchObject({ kind: 'upstream', name: 'PeerError' })
    expect(peer.shares).toEqual([])
    expect(elsewhere.requests).toEqual([])
    // https, then http; two paths each, and one redirect each that stays on the host.
    expect(server.outboundCalls() - calls).toBeLessThanOrEqual(8)
    await expect(server.services().peers.show(peer.host)).rejects.toMatchObject({
      code: 'bad_host',
    })
    const answers = await expectInvariants(server, () => Promise.resolve([]))
    expect(answers).toEqual([])
  })
})

describe('a peer whose JWK Set answers with', () => {
  it.each(rows)('%s gets no token', async (name, attack) => {
    await using peer = await independentPeer()
    const { secret } = await shareWith(server, peer)
    peer.takeOver('/ocm/jwks', attack(`${elsewhere.url}/ocm/jwks`))
    const [answer] = await expectInvariants(server, () => peer.askToken(server, secret), {
      mayChange: ['peers'],
      outbound: 1,
    })
    // What is well-formed but has no such key is the signer's fault (S32).
    const noSuchKey = ['a million keys (H8)', 'null (H8)'].includes(name) && answer?.status === 401
    expect([name, noSuchKey || answer?.status === 502]).toEqual([name, true])
    expect(elsewhere.requests).toEqual([])
    expect(await server.services().tokens.listTokens(peer.shares[0]?.body.providerId)).toEqual([])
  })
})

describe('a peer that answers a share with', () => {
  /** Answers that say no more than the status are a success of the peer's. */
  const harmless = /HTML|JSON|prototype|null|empty/
  it.each(rows.filter(([name]) => !harmless.test(name)))(
    '%s leaves it pending or failed, visible and repeatable',
    async (_name, attack) => {
      await using peer = await independentPeer()
      peer.takeOver('/ocm/shares', attack(`${elsewhere.url}/ocm/shares`))
      const failed = await share(peer)
      // A redirect is a final no; no answer, or a server in trouble, may be one later.
      expect(failed.state).toBe(/answered 3/.test(failed.problem ?? '') ? 'failed' : 'pending')
      expect(failed.problem).toMatch(/^(The server )?127\.0\.0\.1:\d+ /)
      expect(elsewhere.requests).toEqual([])
      peer.takeOver('/ocm/shares', text('{}', json, 201))
      expect((await server.services().shares.send(failed.id)).state).toBe('sent')
    },
  )

  it('a reason full of control characters shows them to nobody', async () => {
    await using peer = await independentPeer()
    const message = `no\u001b[2J\u0007 ${'long '.repeat(200)}`
    peer.replyToShares({ status: 403, body: { message } })
    const { problem } = await share(peer)
    expect(problem).not.toMatch(/[\u0000-\u001f\u007f]/)
    expect(problem?.length).toBeLessThan(400)
  })
})

describe('where our server never calls (H1)', () => {
  it('is a private or special address, outside of development', async () => {
    await using secure = await startServer({ config: { dev: false } })
    const { peers } = secure.services()
    const hosts = ['127.0.0.1', '169.254.169.254', '[::1]', '10.0.0.1', '2130706433', '0x7f.1']
    for (const host of hosts) {
      await expect(peers.discover(host)).rejects.toMatchObject({ code: 'peer_unreachable' })
    }
    await using peer = await independentPeer()
    await expect(peers.discover(peer.host)).rejects.toMatchObject({ code: 'peer_unreachable' })
    expect(peer.requests).toEqual([])
  })

  it('is a jwksUri or tokenEndPoint on another server (peers.md D5, D7)', async () => {
    for (const member of ['jwksUri', 'tokenEndPoint', 'endPoint', 'inviteAcceptDialog']) {
      await using peer = await independentPeer({ discovery: { [member]: `${elsewhere.url}/x` } })
      await expect(share(peer)).rejects.toMatchObject({ code: 'peer_unusable' })
      expect(peer.requests.filter((line) => !line.startsWith('GET /'))).toEqual([])
    }
    expect(elsewhere.requests).toEqual([])
  })
})
