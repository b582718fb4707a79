import { describe, expect, it } from '@jest/globals'
import { bearer, davClient } from '../support/dav-client.ts'
import { readFixture } from '../support/fixtures.ts'
import type { DiscoveryDocument, Flavour } from '../support/peer/discovery.ts'
import {
  independentPeer,
  type PeerReply,
  type ShareBody,
} from '../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer } from '../support/start-server.ts'

const writable = { permissions: ['read', 'write'], path: '/Holiday/beach.txt' } as const

/** The members of a payload, nested ones too, without what differs from share to share. */
function shapeOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return typeof value
  const members = Object.entries(value).map(([name, member]) => [name, shapeOf(member)] as const)
  return Object.fromEntries(members.sort(([one], [other]) => one.localeCompare(other)))
}

describe('the payload for each kind of peer (peers.md §2.6)', () => {
  it.each<[Flavour, string, { mode?: 'strict'; permissions?: readonly ['read'] }]>([
    ['nextcloud-newest', 'ours-to-nextcloud', {}],
    ['nextcloud-label-era', 'ours-to-nextcloud', {}],
    ['nextcloud-v32-cavage', 'ours-to-nextcloud', {}],
    ['ocm-stub', 'ours-to-nextcloud', {}],
    ['ocmgo', 'ours-to-ocmgo', { permissions: ['read'] }],
    ['reva', 'ours-to-reva-opencloud', {}],
    ['reva-code-flow', 'ours-to-reva-opencloud', {}],
    ['opencloud-later', 'ours-to-reva-opencloud', {}],
  ])('to %s is like the fixture %s', async (flavour, fixture, wanted) => {
    await using server = await startServer()
    await using peer = await independentPeer({ flavour })
    await addAlice(server)
    const { received, id } = await shareWith(server, peer, { ...writable, ...wanted })
    const expected = readFixture(`shares/${fixture}`) as ShareBody
    expect(shapeOf(received.body)).toEqual(shapeOf(expected))
    expect(received.body.protocol.name).toBe(expected.protocol.name)
    expect(received.body.protocol.webdav['permissions']).toEqual(
      expected.protocol.webdav['permissions'],
    )
    expect(received.body.protocol.webdav['requirements']).toEqual(
      expected.protocol.webdav['requirements'],
    )
    expect(received.body.protocol.webdav.uri).toBe(
      flavour === 'ocmgo' ? id : `${server.url}/dav/ocm/${id}`,
    )
  })

  it('to an OpenCloud that does not say so is like that too, once it has refused the other', async () => {
    await using server = await startServer()
    await using peer = await independentPeer({ flavour: 'opencloud-2025-02' })
    await addAlice(server)
    const recorded = readFixture('shares/responses') as Record<string, PeerReply>
    peer.replyToShares(recorded['opencloud-400-options'] ?? { status: 0 })
    const { received } = await shareWith(server, peer, writable)
    expect(shapeOf(received.body)).toEqual(shapeOf(readFixture('shares/ours-to-reva-opencloud')))
  })

  it.each<[Flavour, boolean, boolean]>([
    ['nextcloud-newest', true, false],
    ['nextcloud-label-era', true, true],
    ['ocmgo', true, false],
    ['reva', false, false],
    ['opencloud-2025-02', false, false],
  ])('to %s is signed: %s, with the date covered: %s (§4.1)', async (flavour, signed, dated) => {
    await using server = await startServer()
    await using peer = await independentPeer({ flavour })
    await addAlice(server)
    const { received } = await shareWith(server, peer, { ...writable, permissions: ['read'] })
    expect(received.sender).toMatchObject(signed ? { ok: true } : { ok: false, reason: 'unsigned' })
    if (!received.sender.ok) return
    expect(received.sender.components.includes('"date"')).toBe(dated)
    expect(received.sender.parameters).toMatch(
      /^;created=\d+;keyid="[^"]+#key-1";alg="ed25519";tag="ocm"$/,
    )
  })

  it.each<[Flavour, boolean]>([
    ['nextcloud-v32-cavage', true],
    ['ocm-stub', true],
    ['nextcloud-v32-cavage', false],
    ['reva', true],
  ])(
    'to %s is signed as draft-cavage when signatures.legacy is %s (§4.4)',
    async (flavour, legacy) => {
      await using server = await startServer({ config: { signatures: { legacy } } })
      await using peer = await independentPeer({ flavour })
      await addAlice(server)
      const { received } = await shareWith(server, peer, { ...writable, permissions: ['read'] })
      expect(received.headers['signature-input']).toBeUndefined()
      expect(received.sender).toEqual(
        legacy && flavour === 'nextcloud-v32-cavage'
          ? {
              ok: true,
              keyId: `${server.url}/ocm#signature`,
              components: ['(request-target)', 'content-length', 'date', 'digest', 'host'],
              parameters: 'rsa-sha512',
            }
          : { ok: false, reason: 'unsigned' },
      )
    },
  )

  it('says requirements in both places to a Nextcloud that exchanges tokens', async () => {
    await using server = await startServer()
    await using peer = await independentPeer({ flavour: 'nextcloud-newest' })
    await addAlice(server)
    const { received } = await shareWith(server, peer, { ...writable, mode: 'strict' })
    const { options, webdav } = received.body.protocol
    expect(options?.['requirements']).toEqual(['must-exchange-token'])
    expect(webdav['requirements']).toEqual(['must-exchange-token'])
  })

  it('carries a secret of 256 bits that reads the same in every base64', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const secrets = [await shareWith(server, peer), await shareWith(server, peer)]
    for (const { secret } of secrets) expect(secret).toMatch(/^[A-Za-z0-9]{43,}$/)
    expect(secrets[0]?.secret).not.toBe(secrets[1]?.secret)
  })
})

describe('the preflight of a share', () => {
  const demanding: DiscoveryDocument = { criteria: ['must-exchange-token'] }
  const unable: DiscoveryDocument = { capabilities: ['http-sig'], tokenEndPoint: undefined }

  it('makes the share strict when the peer must exchange tokens', async () => {
    await using server = await startServer()
    await using peer = await independentPeer({ discovery: demanding })
    await addAlice(server)
    const { id, received } = await shareWith(server, peer)
    expect(received.body.protocol.webdav['requirements']).toEqual(['must-exchange-token'])
    expect((await server.services().shares.getShare(id)).strict).toBe(true)
  })

  it.each([
    ['--legacy to a peer that must exchange', demanding, 'legacy', 'token_exchange_required'],
    ['--strict to a peer that cannot exchange', unable, 'strict', 'token_exchange_unsupported'],
  ] as const)(
    'refuses %s before anything is stored or sent',
    async (_name, discovery, mode, code) => {
      await using server = await startServer()
      await using peer = await independentPeer({ discovery })
      await addAlice(server)
      await expect(shareWith(server, peer, { mode })).rejects.toMatchObject({ code })
      expect(await server.services().shares.listShares()).toEqual([])
      expect(peer.shares).toEqual([])
    },
  )

  it('makes every share strict when federation.requireTokenExchange is on (design §3.3)', async () => {
    await using server = await startServer({
      config: { federation: { requireTokenExchange: true } },
    })
    await using peer = await independentPeer()
    await addAlice(server)
    const { received } = await shareWith(server, peer)
    expect(received.body.protocol.webdav['requirements']).toEqual(['must-exchange-token'])
  })

  it('refuses a peer on the deny list without a request', async () => {
    await using peer = await independentPeer()
    await using server = await startServer({ config: { federation: { deny: [peer.host] } } })
    await addAlice(server)
    await expect(shareWith(server, peer)).rejects.toMatchObject({ code: 'peer_denied' })
    expect([server.outboundCalls(), peer.requests]).toEqual([0, []])
  })
})

describe('sending a share', () => {
  it('commits first: the peer exchanges and reads while the POST is still open', async () => {
    await using server = await startServer()
    await using peer = await independentPeer({ discovery: { criteria: ['must-exchange-token'] } })
    await addAlice(server)
    const seen: unknown[] = []
    peer.duringShare(async ({ body }) => {
      const { sharedSecret } = body.protocol.webdav
      const token = await peer.exchange(server, sharedSecret)
      const dav = davClient(`${server.url}/dav/ocm/`, bearer(token))
      seen.push((await dav.get('beach.txt')).text)
      seen.push((await server.services().shares.getShare(body.providerId)).state)
    })
    const { id } = await shareWith(server, peer)
    expect(seen).toEqual(['sun and sand', 'pending'])
    expect((await server.services().shares.getShare(id)).state).toBe('sent')
  })

  it('shows why it failed, and can be repeated by hand', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const { shares } = server.services()
    peer.replyToShares({ status: 403, body: { message: 'SENDER_NOT_TRUSTED' } })
    const recipient = `bob@${peer.host}`
    const failed = await shares.createShare({ owner: 'alice', path: '/Holiday', recipient })
    expect(failed).toMatchObject({
      state: 'failed',
      problem: `${peer.host} answered 403: SENDER_NOT_TRUSTED`,
    })
    const again = await shares.send(failed.id)
    expect(again).toMatchObject({ state: 'sent', problem: null })
    const [first, second] = peer.shares
    expect(second?.body).toEqual(first?.body)
    await expect(shares.send(failed.id)).rejects.toMatchObject({ code: 'share_state' })
  })

  it('asks once more in the other shape when the peer stumbles over the protocol', async () => {
    await using server = await startServer()
    await using peer = await independentPeer({ flavour: 'ocm-stub' })
    await addAlice(server)
    const refusal = { status: 400, body: { message: 'protocol options not supported' } }
    peer.replyToShares(refusal)
    await shareWith(server, peer)
    expect(peer.shares.map(({ body }) => body.protocol.name)).toEqual(['webdav', 'multi'])
    expect(peer.shares[1]?.body.protocol).not.toHaveProperty('options')
    // What worked is remembered for the next share.
    await shareWith(server, peer)
    expect(peer.shares.map(({ body }) => body.protocol.name)).toEqual(['webdav', 'multi', 'multi'])
  })

  it('gives up after the second shape, and at once on any other refusal', async () => {
    await using server = await startServer()
    await using peer = await independentPeer({ flavour: 'ocm-stub' })
    await addAlice(server)
    const { shares } = server.services()
    const refusal = { status: 400, body: { message: 'protocol options not supported' } }
    peer.replyToShares(refusal, refusal, { status: 400, body: { message: 'no such user' } })
    const wanted = { owner: 'alice', path: '/Holiday', recipient: `bob@${peer.host}` }
    expect((await shares.createShare(wanted)).state).toBe('failed')
    expect(peer.shares).toHaveLength(2)
    expect((await shares.createShare(wanted)).problem).toBe(
      `${peer.host} answered 400: no such user`,
    )
    expect(peer.shares).toHaveLength(3)
  })

  it('takes 200 for a success, as OpenCloud answers', async () => {
    await using server = await startServer()
    await using peer = await independentPeer({ flavour: 'opencloud-2025-02' })
    await addAlice(server)
    peer.replyToShares({ status: 200, body: { recipientDisplayName: 'Marie' } })
    expect((await shareWith(server, peer)).received.body.protocol.name).toBeDefined()
  })
})
