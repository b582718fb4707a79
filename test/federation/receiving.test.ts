import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { listFixtures, readFixture } from '../support/fixtures.ts'
import { expectInvariants } from '../support/invariants.ts'
import { movedHere, offerOf, recordedOffer, type Offer } from '../support/offer.ts'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { addAlice } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

let server: TestServer
let peer: IndependentPeer

beforeAll(async () => {
  server = await startServer()
  await server.addUser('marie')
  peer = await independentPeer()
})

afterAll(async () => {
  await peer.close()
  await server.close()
})

const received = () => server.services().incoming.list()
const rowOf = async (offer: Offer) =>
  (await received()).filter(({ providerId }) => providerId === String(offer['providerId']))

const receipt = { recipientDisplayName: 'marie', recipientUserId: 'marie' }

describe('an offer', () => {
  it('is recorded as pending and answered with who it is for', async () => {
    const offer = offerOf(server, peer)
    const answer = await peer.offer(server, offer)
    expect([answer.status, answer.json()]).toEqual([201, receipt])
    expect(await rowOf(offer)).toMatchObject([
      {
        user: 'marie',
        senderHost: peer.host,
        sender: `einstein@${peer.host}`,
        name: 'Trip',
        resourceType: 'folder',
        permissions: ['read'],
        strict: false,
        form: 'named',
        uri: `${peer.url}/remote/trip`,
        state: 'pending',
        mountName: null,
        expiresAt: null,
      },
    ])
  })

  it('said again is the same, 50 times at once too', async () => {
    const offer = offerOf(server, peer)
    const answers = await Promise.all(Array.from({ length: 50 }, () => peer.offer(server, offer)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(await rowOf(offer)).toHaveLength(1)
  })

  it('may name its people anew, and nothing else', async () => {
    const offer = offerOf(server, peer)
    await peer.offer(server, offer)
    const renamed = { ...offer, senderDisplayName: 'A. Einstein', description: 'changed' }
    expect((await peer.offer(server, renamed)).status).toBe(201)
    const protocol = offer['protocol'] as { name: string; webdav: Record<string, unknown> }
    const webdav = (change: Offer) => ({ name: 'multi', webdav: { ...protocol.webdav, ...change } })
    for (const change of [
      { name: 'Other' },
      { resourceType: 'file' },
      { owner: `curie@${peer.host}` },
      { sender: `curie@${peer.host}` },
      { expiration: server.clock.seconds() + 1000 },
      { protocol: webdav({ sharedSecret: 'another' }) },
      { protocol: webdav({ uri: 'another' }) },
      { protocol: webdav({ permissions: ['read', 'write'] }) },
      { protocol: webdav({ requirements: ['must-exchange-token'] }) },
      { code: 'another' },
    ]) {
      const [answer] = await expectInvariants(server, () =>
        peer.offer(server, { ...offer, ...change }),
      )
      expect([Object.keys(change), answer?.status]).toEqual([Object.keys(change), 409])
    }
    expect(await rowOf(offer)).toHaveLength(1)
  })

  it('is another one for another user, and from another server', async () => {
    await server.addUser('pierre')
    await using second = await independentPeer()
    const offer = offerOf(server, peer, { providerId: '42' })
    await peer.offer(server, offer)
    await peer.offer(server, { ...offer, shareWith: `pierre@${server.authority}` })
    await second.offer(server, offerOf(server, second, { providerId: '42' }))
    expect(await rowOf(offer)).toHaveLength(3)
  })

  it('of an ended share changes nothing', async () => {
    const offer = offerOf(server, peer)
    await peer.offer(server, offer)
    const [share] = await rowOf(offer)
    await server.services().incoming.decline(share?.id ?? '')
    expect((await peer.offer(server, offer)).status).toBe(201)
    expect((await peer.offer(server, { ...offer, name: 'Other' })).status).toBe(409)
    expect(await rowOf(offer)).toMatchObject([{ state: 'declined' }])
  })
})

describe('recorded offers', () => {
  const understood: [string, Offer][] = [
    ['nextcloud-classic-v30', { form: 'options', permissions: null, uri: null, strict: false }],
    ['nextcloud-v31-plus', { form: 'options', permissions: null, uri: null }],
    ['nextcloud-scheme-in-ids', { form: 'options', sender: 'einstein' }],
    ['nextcloud-must-exchange', { form: 'named', strict: true, uri: '/public.php/webdav/' }],
    ['ocis-doubled-host', { sender: '4c510ada-1234', uri: '/dav/ocm/4c510ada-1234' }],
    ['ocm-stub', { form: 'named', permissions: null, uri: '/webdav-api/file.txt' }],
    ['ocmgo-strict', { strict: true, uri: '0190b1c8-9d77-7d35-8c58-3cf1d7a5b002' }],
    ['ocmgo-non-strict', { strict: false, uri: '0190b1c8-9d77-7d35-8c58-3cf1d7a5b002' }],
    ['ocmgo-self-webdav-absolute-bug', { uri: '0190b1c8-9d77-7d35-8c58-3cf1d7a5b002' }],
    ['opencloud-legacy-url-key', { uri: '/dav/ocm/p1', sender: 'x' }],
    [
      'opencloud-multi',
      { sender: 'b1f74ec4-dd7e-11ef-a543-03775734d0f7', uri: '/dav/ocm/0b0000009157' },
    ],
    ['reva-multi', { resourceType: 'folder', permissions: ['read', 'write'], ownerName: null }],
    ['reva-multi-must-exchange', { strict: true, expiresAt: null }],
    ['reva-webdav-webapp', { strict: true, permissions: ['read', 'write'] }],
  ]

  it('are all known to this test', () => {
    const others = ['nextcloud-group', 'negative-ocmgo', 'responses']
    const theirs = listFixtures('shares').filter((name) => !name.startsWith('shares/ours-'))
    const known = [...understood.map(([name]) => name), ...others].map((name) => `shares/${name}`)
    expect(theirs.sort()).toEqual(known.sort())
  })

  it.each(understood)('%s is understood', async (name, expected: Offer) => {
    await using sender = await independentPeer()
    const offer = recordedOffer(name, server, sender)
    const answer = await sender.offer(server, offer)
    expect([answer.text, answer.status]).toEqual([JSON.stringify(receipt), 201])
    const [share] = (await received()).filter(({ senderHost }) => senderHost === sender.host)
    const { sender: identifier, uri } = expected
    expect(share).toMatchObject({
      ...expected,
      sender: `${typeof identifier === 'string' ? identifier : ''}@${sender.host}`.replace(
        /^@/,
        String(share?.sender.split('@')[0]) + '@',
      ),
      ...(typeof uri === 'string' && { uri: uri.startsWith('/') ? sender.url + uri : uri }),
    })
  })

  const negative = [
    ['unsupported-arm', 201],
    ['unknown-requirement', 501],
    ['no-protocol-name', 400],
    ['options-key-present', 201],
    ['write-permission', 201],
    ['folder', 201],
    ['group', 501],
    ['missing-sender', 400],
    ['owner-other-host', 403],
    ['sender-not-address', 400],
    ['duplicate-reordered', 409],
  ] as const

  it('negative-ocmgo has no other cases', () => {
    const cases = readFixture('shares/negative-ocmgo') as object
    expect(Object.keys(cases)).toEqual(negative.map(([name]) => name))
  })

  it.each(negative)('negative-ocmgo %s is %d here', async (name, status) => {
    await using sender = await independentPeer()
    const cases = movedHere(readFixture('shares/negative-ocmgo'), server, sender)
    const { body } = (cases as Record<string, { body: Offer }>)[name] ?? {}
    if (status === 409) {
      await sender.offer(server, recordedOffer('ocmgo-strict', server, sender))
    }
    expect((await sender.offer(server, body)).status).toBe(status)
  })

  it('nextcloud-group is 501', async () => {
    const answer = await peer.offer(server, recordedOffer('nextcloud-group', server, peer))
    expect(answer.status).toBe(501)
  })
})

describe('two of us', () => {
  it('give and receive, and say no again', async () => {
    await using giver = await startServer()
    await addAlice(giver)
    const wanted = { owner: 'alice', path: '/Holiday', recipient: `marie@${server.authority}` }
    const { shares } = giver.services()
    const permissions = ['read', 'write'] as const
    const share = await shares.createShare({ ...wanted, permissions })
    expect(share.state).toBe('sent')
    const [given] = await rowOf({ providerId: share.id })
    expect(given).toMatchObject({
      sender: `alice@${giver.authority}`,
      name: 'Holiday',
      resourceType: 'folder',
      permissions,
      strict: share.strict,
      form: 'named',
      state: 'pending',
    })
    const none = { ...wanted, recipient: `nobody@${server.authority}` }
    expect((await shares.createShare(none)).problem).toContain('is no user of this server')
  })
})
