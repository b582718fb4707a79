import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFixture } from '../support/fixtures.ts'
import { dumpDatabase } from '../support/invariants.ts'
import { offerOf } from '../support/offer.ts'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

type Notice = Record<string, unknown>

let server: TestServer
let peer: IndependentPeer
/** Never says that it signs. */
let unsigned: IndependentPeer

const requests = readFixture('notifications/requests') as Record<string, Notice>

beforeAll(async () => {
  server = await startServer({ config: { federation: { reshare: true } } })
  await addAlice(server)
  await server.addUser('marie')
  peer = await independentPeer()
  unsigned = await independentPeer({
    flavour: 'plain',
    discovery: { capabilities: ['exchange-token'] },
  })
})

afterAll(async () => {
  await peer.close()
  await unsigned.close()
  await server.close()
})

it('knows every recorded notification', () => {
  expect(Object.keys(requests).sort()).toEqual([
    'missing-type',
    'nextcloud-accepted',
    'nextcloud-declined',
    'nextcloud-request-reshare',
    'nextcloud-reshare-change-permission',
    'nextcloud-reshare-undo',
    'nextcloud-secret-is-access-token',
    'nextcloud-unshared',
    'ocis-change-permission',
    'ocis-unshared',
    'ocmgo-accepted',
    'ocmgo-declined',
    'stub-accepted',
    'stub-declined-no-providerId',
    'unknown-type',
  ])
})

const stateOf = async (id: string) => (await server.services().shares.getShare(id)).state

/** A recorded notification about another share. */
function recorded(name: string, providerId: string, sharedSecret?: string): Notice {
  const { notification, ...notice } = requests[name] ?? {}
  return {
    ...notice,
    providerId,
    ...(notification !== undefined && {
      notification: { ...notification, ...(sharedSecret !== undefined && { sharedSecret }) },
    }),
  }
}

describe('the recipient of a share of ours', () => {
  it.each([
    ['nextcloud-accepted', 'accepted'],
    ['ocmgo-accepted', 'accepted'],
    ['stub-accepted', 'accepted'],
    ['nextcloud-declined', 'declined'],
    ['ocmgo-declined', 'declined'],
    ['nextcloud-unshared', 'declined'],
  ])('%s, signed, again and again', async (name, state) => {
    const share = await shareWith(server, peer)
    for (const answer of [
      await peer.notify(server, recorded(name, share.id)),
      await peer.notify(server, recorded(name, share.id)),
    ]) {
      expect([answer.status, answer.json()]).toEqual([201, {}])
      expect(await stateOf(share.id)).toBe(state)
    }
    const opened = await peer.askToken(server, share.secret)
    expect(opened.status).toBe(state === 'accepted' ? 200 : 400)
  })

  it.each([
    ['nextcloud-accepted', 'accepted'],
    ['stub-accepted', 'accepted'],
    ['nextcloud-declined', 'declined'],
  ])('%s, with the secret, from a peer that does not sign', async (name, state) => {
    const share = await shareWith(server, unsigned)
    const notice = recorded(name, share.id, share.secret)
    for (const contentType of ['application/json', '', 'text/plain;charset=UTF-8']) {
      const answer = await unsigned.notify(server, notice, { unsigned: true, contentType })
      expect([answer.status, await stateOf(share.id)]).toEqual([201, state])
    }
  })

  it('may show its access token in place of the secret', async () => {
    const share = await shareWith(server, unsigned)
    const other = await shareWith(server, unsigned)
    const answer = await unsigned.askToken(server, share.secret, { unsigned: true })
    const token = String(answer.json()['access_token'])
    server.secrets.add(token)
    const say = (id: string) =>
      unsigned.notify(server, recorded('nextcloud-secret-is-access-token', id, token), {
        unsigned: true,
      })
    expect([(await say(other.id)).status, (await say(share.id)).status]).toEqual([403, 201])
    expect([await stateOf(other.id), await stateOf(share.id)]).toEqual(['sent', 'accepted'])
  })

  it('cannot accept what it declined', async () => {
    const share = await shareWith(server, peer)
    await peer.notify(server, recorded('ocmgo-declined', share.id))
    const answer = await peer.notify(server, recorded('ocmgo-accepted', share.id))
    expect([answer.status, await stateOf(share.id)]).toEqual([409, 'declined'])
  })

  it('may answer what was revoked meanwhile', async () => {
    const share = await shareWith(server, peer)
    await server.services().shares.revokeShare(share.id)
    for (const name of ['ocmgo-accepted', 'ocmgo-declined']) {
      const answer = await peer.notify(server, recorded(name, share.id))
      expect([answer.status, await stateOf(share.id)]).toEqual([201, 'revoked'])
    }
  })
})

describe('nobody else', () => {
  it('changes a share, whatever it says', async () => {
    const signs = await shareWith(server, peer)
    const plain = await shareWith(server, unsigned)
    await using stranger = await independentPeer()
    const types = ['nextcloud-declined', 'nextcloud-unshared', 'nextcloud-accepted']
    for (const name of [...types, 'nextcloud-request-reshare', 'nextcloud-reshare-undo']) {
      const notice = recorded(name, signs.id)
      const secret = recorded(name, signs.id, signs.secret)
      const before = dumpDatabase(server, ['peers'])
      const byStranger = await stranger.notify(server, notice)
      const aboutNone = await stranger.notify(server, { ...notice, providerId: 'none' })
      const answers = [
        byStranger,
        await stranger.notify(server, secret),
        await peer.notify(server, recorded(name, plain.id, plain.secret)),
        await unsigned.notify(server, recorded(name, plain.id, 'wrong'), { unsigned: true }),
        await peer.notify(server, secret, { signWith: stranger.key.privateKey }),
      ]
      expect(aboutNone.text).toBe(byStranger.text)
      expect([name, answers.map(({ status }) => status)]).toEqual([name, [403, 403, 400, 403, 401]])
      expect(dumpDatabase(server, ['peers'])).toBe(before)
    }
    expect([await stateOf(signs.id), await stateOf(plain.id)]).toEqual(['sent', 'sent'])
  })

  it('is heard unsigned in the name of a peer that signs', async () => {
    const share = await shareWith(server, peer)
    const withSecret = recorded('nextcloud-declined', share.id, share.secret)
    const answers = [
      await peer.notify(server, withSecret, { unsigned: true }),
      await peer.notify(server, recorded('ocmgo-declined', share.id), { unsigned: true }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([401, 401])
    expect(await stateOf(share.id)).toBe('sent')
  })

  it('learns which shares there are', async () => {
    const share = await shareWith(server, unsigned)
    const say = (id: string) =>
      unsigned.notify(server, recorded('nextcloud-declined', id, 'wrong'), { unsigned: true })
    const [known, unknown] = [await say(share.id), await say('shr-0000000000000000000000')]
    expect([known.status, known.text]).toEqual([unknown.status, unknown.text])
    expect(known.json()).toEqual({ message: 'RESOURCE_NOT_FOUND' })
  })
})

it.each([
  ['nextcloud-reshare-change-permission', 501],
  ['ocis-change-permission', 501],
  ['unknown-type', 501],
  ['missing-type', 400],
  ['stub-declined-no-providerId', 400],
])('%s changes nothing', async (name, status) => {
  const before = [server.outboundCalls(), dumpDatabase(server)]
  for (const how of [{}, { unsigned: true }]) {
    expect((await peer.notify(server, requests[name], how)).status).toBe(status)
  }
  expect([server.outboundCalls(), dumpDatabase(server)]).toEqual(before)
})

it.each([
  ['another content type', { contentType: 'text/html' }, 415],
  ['no JSON', { body: '{' }, 400],
  ['a list', { body: '[]' }, 400],
  ['too long', { body: JSON.stringify({ x: 'x'.repeat(65_536) }) }, 413],
])('a message with %s is refused', async (_name, how, status) => {
  const before = dumpDatabase(server)
  expect((await peer.notify(server, {}, how)).status).toBe(status)
  expect(dumpDatabase(server)).toBe(before)
})

describe('the sender of a share to us', () => {
  const incoming = () => server.services().incoming
  async function received(from: IndependentPeer, how = {}) {
    const offer = offerOf(server, from)
    expect((await from.offer(server, offer, how)).status).toBe(201)
    const providerId = String(offer['providerId'])
    const [row] = await incoming().findOffers(providerId, from.host)
    const { webdav } = offer['protocol'] as { webdav: { sharedSecret: string } }
    return { id: row?.id ?? '', providerId, secret: webdav.sharedSecret }
  }

  it.each(['nextcloud-unshared', 'ocis-unshared'])('takes it back: %s', async (name) => {
    const share = await received(peer)
    const notice = recorded(name, share.providerId)
    const grantee = { ...notice, notification: { grantee: `marie@${server.authority}` } }
    const sent = name.startsWith('ocis') ? grantee : notice
    for (const answer of [await peer.notify(server, sent), await peer.notify(server, sent)]) {
      expect(answer.status).toBe(201)
      expect(await incoming().get(share.id)).toMatchObject({ state: 'removed', endedBy: 'sender' })
    }
  })

  it('takes it back by secret', async () => {
    const share = await received(unsigned, { unsigned: true })
    const say = (secret: string) =>
      unsigned.notify(server, recorded('nextcloud-unshared', share.providerId, secret), {
        unsigned: true,
      })
    expect((await say('wrong')).status).toBe(403)
    expect((await incoming().get(share.id)).state).toBe('pending')
    expect((await say(share.secret)).status).toBe(201)
    expect((await incoming().get(share.id)).state).toBe('removed')
  })

  it('takes back its own only, of others with the same id nothing', async () => {
    const share = await received(peer)
    await using other = await independentPeer()
    const offer = offerOf(server, other, { providerId: share.providerId })
    await other.offer(server, offer)
    expect(
      (await other.notify(server, recorded('nextcloud-unshared', share.providerId))).status,
    ).toBe(201)
    expect((await incoming().get(share.id)).state).toBe('pending')
  })

  it('cannot accept it in our place', async () => {
    const share = await received(peer)
    const answer = await peer.notify(server, recorded('ocmgo-accepted', share.providerId))
    expect([answer.status, (await incoming().get(share.id)).state]).toEqual([400, 'pending'])
  })
})

describe('a share that its recipient passes on', () => {
  const ask = (id: string, shareWith: string, change: Notice = {}) => ({
    ...recorded('nextcloud-request-reshare', id),
    notification: { shareWith, senderId: '7', shareType: 'user', ...change },
  })
  const told = (id: string) =>
    server
      .services()
      .outbox.list()
      .then((all) => all.filter(({ subject }) => subject === id))

  it('is granted once, lives by its own token and ends alone', async () => {
    await using third = await independentPeer()
    const expiresAt = server.clock.now() + 3_600_000
    const parent = await shareWith(server, peer, { permissions: ['read', 'share'], expiresAt })
    const carol = `carol@${third.host}`
    const answer = await peer.notify(server, ask(parent.id, carol))
    const again = await peer.notify(server, ask(parent.id, carol))
    const { token, providerId } = answer.json() as { token: string; providerId: string }
    server.secrets.add(token)
    expect([answer.status, again.json()]).toEqual([201, { token, providerId }])
    await server.services().outbox.deliverNow(providerId)
    const secret = third.shares.at(-1)?.body.protocol.webdav.sharedSecret ?? ''
    expect(new Set([secret, token, parent.secret]).size).toBe(3)
    const child = await server.services().shares.getShare(providerId)
    expect(child).toMatchObject({ permissions: ['read', 'share'], expiresAt, state: 'sent' })
    expect((await third.askToken(server, secret)).status).toBe(200)
    expect((await third.askToken(server, token)).status).toBe(400)

    const undo = recorded('nextcloud-reshare-undo', providerId)
    expect((await third.notify(server, undo)).status).toBe(400)
    expect((await peer.notify(server, undo)).status).toBe(201)
    expect((await peer.notify(server, undo)).status).toBe(201)
    expect([await stateOf(providerId), await stateOf(parent.id)]).toEqual(['revoked', 'sent'])
    expect((await third.askToken(server, secret)).status).toBe(400)
    expect(await told(providerId)).toMatchObject([{ label: 'SHARE_UNSHARED', peer: third.host }])
  })

  it.each(['revoked', 'declined'])('ends with it when that is %s', async (how) => {
    await using third = await independentPeer()
    const parent = await shareWith(server, peer, { permissions: ['read', 'share'] })
    const answer = await peer.notify(server, ask(parent.id, `carol@${third.host}`))
    const providerId = String(answer.json()['providerId'])
    server.secrets.add(String(answer.json()['token']))
    await server.services().outbox.deliverNow(providerId)
    if (how === 'revoked') await server.services().shares.revokeShare(parent.id)
    else await peer.notify(server, recorded('ocmgo-declined', parent.id))
    expect([await stateOf(parent.id), await stateOf(providerId)]).toEqual([how, 'revoked'])
  })

  it('is refused where it must not be', async () => {
    const kept = await shareWith(server, peer)
    const free = await shareWith(server, peer, { permissions: ['read', 'share'] })
    const statuses = []
    for (const notice of [
      ask(kept.id, 'carol@third.example.org'),
      ask(free.id, 'carol'),
      ask(free.id, `marie@${server.authority}`),
      ask(free.id, 'all@third.example.org', { shareType: 'group' }),
    ]) {
      statuses.push((await peer.notify(server, notice)).status)
    }
    expect(statuses).toEqual([403, 400, 400, 501])
  })
})
