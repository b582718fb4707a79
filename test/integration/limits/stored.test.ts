import { afterEach, describe, expect, it } from '@jest/globals'
import { basic, davClient } from '../../support/dav-client.ts'
import { offerOf } from '../../support/offer.ts'
import { independentPeer, type IndependentPeer } from '../../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../../support/share-with.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

let server: TestServer

afterEach(() => server.close())

async function start(stored: Record<string, number>, courier = true): Promise<void> {
  server = await startServer({ config: { limits: { stored } }, courier })
}

const filesOf = async (username: string) =>
  davClient(`${server.url}/dav/files/${username}/`, basic(username, await server.addUser(username)))

type Dav = Awaited<ReturnType<typeof filesOf>>

const lock = (dav: Dav, path: string) =>
  dav.call('LOCK', path, {
    headers: { timeout: 'Second-60', 'content-type': 'application/xml' },
    body:
      '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
      '<D:locktype><D:write/></D:locktype></D:lockinfo>',
  })

const change = (dav: Dav, path: string, steps: string) =>
  dav.call('PROPPATCH', path, {
    headers: { 'content-type': 'application/xml' },
    body: `<D:propertyupdate xmlns:D="DAV:" xmlns="urn:x">${steps}</D:propertyupdate>`,
  })

const set = (name: string, value = 'v') =>
  `<D:set><D:prop><${name}>${value}</${name}></D:prop></D:set>`
const remove = (name: string) => `<D:remove><D:prop><${name}/></D:prop></D:remove>`

describe('what clients can make us keep', () => {
  it('locks of all users: 507 until one ends', async () => {
    await start({ locks: 3 })
    const [alice, bob] = [await filesOf('alice'), await filesOf('bob')]
    for (const name of ['a', 'b', 'c']) expect((await lock(alice, name)).status).toBe(201)
    expect((await lock(bob, 'd')).status).toBe(507)
    expect((await bob.propfind('d')).status).toBe(404)
    server.clock.advance('61s')
    expect((await lock(bob, 'd')).status).toBe(201)
  })

  it('properties of a user: 507 until one goes, and never for making less of them', async () => {
    await start({ propertiesPerTree: 3 })
    const [alice, bob] = [await filesOf('alice'), await filesOf('bob')]
    await alice.put('a', 'x')
    await alice.put('b', 'x')
    await bob.put('a', 'x')
    expect((await change(alice, 'a', set('one') + set('two'))).text).toContain('200 OK')
    expect((await change(alice, 'b', set('one'))).text).toContain('200 OK')
    expect((await change(alice, 'b', set('two'))).text).toContain('507')
    expect((await change(alice, 'b', set('one', 'other'))).text).toContain('200 OK')
    expect((await change(bob, 'a', set('one'))).text).toContain('200 OK')
    expect((await change(alice, 'a', remove('one'))).text).toContain('200 OK')
    expect((await change(alice, 'b', set('two'))).text).toContain('200 OK')
  })

  it('their values: 507 in bytes, of which a removed file gives its own back', async () => {
    await start({ propertyBytesPerTree: 2000 })
    const alice = await filesOf('alice')
    await alice.put('a', 'x')
    await alice.put('b', 'x')
    const large = 'ä'.repeat(600)
    expect((await change(alice, 'a', set('one', large))).text).toContain('200 OK')
    expect((await change(alice, 'b', set('one', large))).text).toContain('507')
    expect((await alice.remove('a')).status).toBe(204)
    expect((await change(alice, 'b', set('one', large))).text).toContain('200 OK')
  })

  it('invites: a user has so many open ones', async () => {
    await start({ invitesPerUser: 2 })
    await server.addUser('alice')
    await server.addUser('bob')
    const { invites } = server.services()
    const { id } = await invites.create('alice')
    await invites.create('alice')
    await expect(invites.create('alice')).rejects.toMatchObject({ code: 'too_many_invites' })
    await invites.create('bob')
    await invites.revoke(id)
    await invites.create('alice')
    server.clock.advance('31d')
    await invites.create('alice')
  })
})

describe('what peers can make us keep', () => {
  const offer = async (peer: IndependentPeer, user: string) =>
    peer.offer(server, offerOf(server, peer, { shareWith: `${user}@${server.authority}` }))

  it.each([
    ['for one user', { pendingPerUser: 2 }],
    ['of one peer', { pendingPerPeer: 2 }],
  ])('shares without an answer, %s: 429 until there is one', async (_, stored) => {
    await start(stored)
    await server.addUser('marie')
    await server.addUser('paul')
    await using peer = await independentPeer()
    await using other = await independentPeer()
    const isOfPeer = 'pendingPerPeer' in stored
    expect((await offer(peer, 'marie')).status).toBe(201)
    expect((await offer(peer, isOfPeer ? 'paul' : 'marie')).status).toBe(201)
    const refused = await offer(peer, 'marie')
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '3600'])
    expect(refused.json()).toEqual({ message: 'too many shares wait for an answer' })
    expect((await (isOfPeer ? offer(other, 'marie') : offer(other, 'paul'))).status).toBe(201)
    const [first] = await server.services().incoming.list('marie')
    await server.services().incoming.decline(first?.id ?? '')
    const [second] = await server.services().incoming.list(isOfPeer ? 'paul' : 'marie')
    await server.services().incoming.decline(second?.id ?? '')
    expect((await offer(peer, 'marie')).status).toBe(201)
  })

  it('messages that wait for one peer: no more shares, while all can be ended', async () => {
    await start({ outboxPerPeer: 2 }, false)
    await using peer = await independentPeer()
    await using other = await independentPeer()
    await addAlice(server)
    const first = await shareWith(server, peer)
    const { shares, outbox } = server.services()
    peer.replyToShares(...Array.from({ length: 8 }, () => ({ status: 503, body: {} })))
    const share = (to: IndependentPeer) =>
      shares.createShare({ owner: 'alice', path: '/Holiday', recipient: `einstein@${to.host}` })
    await share(peer)
    await share(peer)
    await expect(share(peer)).rejects.toMatchObject({ code: 'outbox_full', kind: 'unavailable' })
    await share(other)
    expect((await shares.revokeShare(first.id)).state).toBe('revoked')
    for (const { id } of await outbox.list()) await outbox.drop(id)
    await share(peer)
  })
})
