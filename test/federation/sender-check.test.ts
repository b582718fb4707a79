import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createEventHub } from '../../src/core/index.ts'
import { findKey } from '../../src/http-signatures/index.ts'
import {
  createSenderCheck,
  type Peer,
  type ReceivedMessage,
  type Sender,
} from '../../src/peers/index.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { readFixture } from '../support/fixtures.ts'
import { newLegacyKey, signLegacy } from '../support/peer/cavage.ts'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { newPeerKey, signMessage } from '../support/peer/signing.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

describe('who sent a message to any endpoint', () => {
  let server: TestServer
  let peer: IndependentPeer
  beforeAll(async () => {
    server = await startServer()
    peer = await independentPeer()
  })
  afterAll(() => Promise.all([peer.close(), server.close()]))

  const body = '{"providerId":"7"}'
  const received = (headers: Readonly<Record<string, string>>, text = body): ReceivedMessage => ({
    method: 'POST',
    targetUri: `${server.url}/ocm/shares`,
    rawHeaders: Object.entries({ host: server.authority, ...headers }).flat(),
    body: Buffer.from(text),
  })
  const message = () => ({ method: 'POST', targetUri: `${server.url}/ocm/shares`, body })
  const signed = (key = peer.key) =>
    received({ ...signMessage(message(), key, server.clock.seconds()).headers })
  const judge = async (from: ReceivedMessage, host: string): Promise<Sender> => {
    const { sender } = server.services()
    return sender.authenticate(sender.inspect(from), host)
  }

  it('is the host of the key that signed it', async () => {
    expect(await judge(signed(), peer.host)).toEqual({ host: peer.host, verified: true })
  })

  it('is not another host than the message names: 403, and nobody is asked', async () => {
    const calls = server.outboundCalls()
    await expect(judge(signed(), 'nc9.example.org')).rejects.toMatchObject({
      code: 'identity_mismatch',
      kind: 'forbidden',
    })
    expect(server.outboundCalls()).toBe(calls)
  })

  it('is not who only says so, if that peer signs: 401', async () => {
    await expect(judge(received({}), peer.host)).rejects.toMatchObject({ kind: 'unauthenticated' })
  })

  it('is unproven for a peer that does not sign', async () => {
    await using silent = await independentPeer({ flavour: 'reva' })
    expect(await judge(received({}), silent.host)).toEqual({ host: silent.host, verified: false })
  })

  it('cannot be told while the peer is away: 502', async () => {
    const gone = await independentPeer({ flavour: 'reva' })
    await gone.close()
    await expect(judge(received({}), gone.host)).rejects.toMatchObject({ kind: 'upstream' })
  })

  it('is nobody when the body was altered: 400', async () => {
    const { rawHeaders } = signed()
    const altered = { ...received({}, 'x'), rawHeaders }
    await expect(judge(altered, peer.host)).rejects.toMatchObject({
      code: 'body_altered',
      kind: 'invalid',
    })
  })

  it('is nobody with a key that is not published: 401', async () => {
    const unknown = newPeerKey(`${peer.url}/ocm#unknown`)
    await expect(judge(signed(unknown), peer.host)).rejects.toMatchObject({
      code: 'signature_refused',
      kind: 'unauthenticated',
    })
  })

  it('is known by a draft-cavage signature, of a stranger that stays unrecorded', async () => {
    await using nextcloud = await independentPeer({ flavour: 'nextcloud-v32-cavage' })
    const key = newLegacyKey(`${nextcloud.url}/ocm#signature`)
    nextcloud.changeDiscovery({ publicKey: key.publicKey })
    const from = received(signLegacy(message(), key, server.clock.seconds()))
    expect(server.services().sender.inspect(from).scheme).toBe('cavage')
    expect(await judge(from, nextcloud.host)).toEqual({ host: nextcloud.host, verified: true })
    const forged = received(signLegacy(message(), newLegacyKey(key.keyId), server.clock.seconds()))
    await expect(judge(forged, nextcloud.host)).rejects.toMatchObject({ code: 'signature_refused' })
    await expect(judge(from, peer.host)).rejects.toMatchObject({ code: 'identity_mismatch' })
    await expect(server.services().peers.show(nextcloud.host)).rejects.toThrow('Nothing is known')
  })

  it('is nobody on the deny list: 403, and nobody is asked', async () => {
    const config = { federation: { deny: [peer.host] } }
    await using strict = await startServer({ config, clock: server.clock })
    const { sender } = strict.services()
    const calls = strict.outboundCalls()
    for (const from of [signed(), received({})]) {
      await expect(sender.authenticate(sender.inspect(from), peer.host)).rejects.toMatchObject({
        code: 'peer_denied',
      })
    }
    expect(strict.outboundCalls()).toBe(calls)
  })
})

describe('the mutations of a signed share', () => {
  interface Captured {
    readonly method: string
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  }
  const mutations = readFixture('signatures/mutations') as {
    publicJwks: unknown
    valid: Captured
    cases: { name: string; expect: string; now?: number; req?: Captured }[]
  }
  const host = 'ocmgo1.example.org'

  /** The peer is the fixture's: it signs, and these are its keys. */
  async function judge({ method, url, headers, body }: Captured, now: number) {
    let asked = 0
    const discovery = { capabilities: ['http-sig'] } as unknown as Peer['discovery']
    const getPeer = () => Promise.resolve({ host, discovery, profile: {} })
    const sender = createSenderCheck({
      clock: fakeClock(now * 1000),
      events: createEventHub(),
      peers: {
        getPeer,
        renew: getPeer,
        findKey(_host, keyId) {
          asked += 1
          return Promise.resolve(findKey(mutations.publicJwks, keyId))
        },
      },
      policy: () => ({
        maxAgeSeconds: 300,
        maxSkewSeconds: 60,
        legacy: true,
        requireSignatures: false,
        allowHttp: false,
      }),
    })
    const rawHeaders = Object.entries(headers).flat()
    const message = { method, targetUri: url, rawHeaders, body: Buffer.from(body) }
    try {
      return { outcome: (await sender.authenticate(sender.inspect(message), host)).verified, asked }
    } catch (error) {
      return { outcome: (error as { kind: string }).kind, asked }
    }
  }

  it.each(mutations.cases)('$name ($expect)', async ({ name, expect: wanted, now, req }) => {
    const { outcome, asked } = await judge(req ?? mutations.valid, now ?? 1730815210)
    const body = wanted === 'digest mismatch'
    expect(outcome).toBe(wanted === 'valid' ? true : body ? 'invalid' : 'unauthenticated')
    expect(asked).toBe(wanted === 'valid' || name === 'method changed' ? 1 : 0)
  })
})
