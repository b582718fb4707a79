import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { dumpDatabase, expectInvariants } from '../support/invariants.ts'
import { acceptanceOf, bring, contactsOf, tokenOf } from '../support/invites.ts'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { newPeerKey } from '../support/peer/signing.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

describe('an invite between two servers', () => {
  it('makes each a contact of the other, once', async () => {
    await using ours = await startServer()
    await using theirs = await startServer()
    await ours.addUser('alice')
    await theirs.addUser('bob')
    await theirs.addUser('mallory')
    const { invite } = await ours.services().invites.create('alice')
    const contact = await theirs.services().invites.accept('bob', invite)
    expect(contact.address).toBe(`alice@${ours.authority}`)
    const bob = { address: `bob@${theirs.authority}`, name: 'bob', source: 'invited' }
    expect(await contactsOf(ours, 'alice')).toEqual([bob])
    const alice = { address: `alice@${ours.authority}`, name: 'alice', source: 'accepted' }
    expect(await contactsOf(theirs, 'bob')).toEqual([alice])

    const again = await theirs.services().invites.accept('bob', invite)
    expect(again).toEqual(contact)
    await expect(theirs.services().invites.accept('mallory', invite)).rejects.toMatchObject({
      code: 'invite_used',
    })
    expect(await contactsOf(ours, 'alice')).toHaveLength(1)
    expect(await contactsOf(theirs, 'mallory')).toEqual([])

    const user = await ours.services().users.getUser('alice')
    const isContact = (identifier: string, host = theirs.authority) =>
      ours.services().contacts.isContact(user.id, { identifier, host })
    expect(await isContact('bob')).toBe(true)
    expect(await isContact('Bob')).toBe(false)
    expect(await isContact('bob', ours.authority)).toBe(false)
    await ours.services().contacts.remove('alice', `bob@${theirs.authority}`)
    expect(await isContact('bob')).toBe(false)
    await ours.restart()
    expect(await theirs.services().invites.accept('bob', invite)).toEqual(contact)
    expect(await contactsOf(ours, 'alice')).toEqual([])
  })

  it('takes no invite of its own', async () => {
    await using server = await startServer()
    await server.addUser('alice')
    await server.addUser('bob')
    const { invite } = await server.services().invites.create('alice')
    await expect(server.services().invites.accept('bob', invite)).rejects.toMatchObject({
      code: 'own_invite',
    })
  })
})

describe('POST /ocm/invite-accepted', () => {
  let server: TestServer
  let peer: IndependentPeer
  let other: IndependentPeer
  let invite: string
  let id: string

  beforeAll(async () => {
    server = await startServer()
    peer = await independentPeer()
    other = await independentPeer()
    // Their keys are known from here on, so that what follows needs nobody.
    await server.addUser('stage')
    for (const known of [peer, other]) {
      const { invite: first } = await server.services().invites.create('stage')
      await bring(server, known, acceptanceOf(known, first))
    }
    await server.addUser('alice')
  })

  beforeEach(async () => {
    ;({ invite, id } = await server.services().invites.create('alice'))
    server.secrets.add(invite).add(tokenOf(invite))
    for (const { address } of await server.services().contacts.list('alice')) {
      await server.services().contacts.remove('alice', address)
    }
  })

  afterAll(async () => {
    await Promise.all([peer.close(), other.close(), server.close()])
  })

  /** Nothing stored, nobody asked. */
  const refused = (work: () => Promise<Awaited<ReturnType<typeof bring>>>) =>
    expectInvariants(server, work).then(([answer]) => answer)

  it('answers with who invited, and with the same again as 409', async () => {
    const identity = { userID: 'alice', email: `alice@${server.authority}`, name: 'alice' }
    const first = await bring(server, peer, acceptanceOf(peer, invite))
    expect([first.status, first.json()]).toEqual([200, identity])
    expect(first.headers['cache-control']).toBe('no-store')
    expect(await contactsOf(server, 'alice')).toEqual([
      { address: `bob@${peer.host}`, name: 'Bob', source: 'invited' },
    ])
    const before = dumpDatabase(server)
    const again = await bring(server, peer, acceptanceOf(peer, invite))
    expect(dumpDatabase(server)).toBe(before)
    expect([again.status, again.json()]).toEqual([409, identity])
    const listed = await server.services().invites.list('alice')
    expect(listed.find((one) => one.id === id)).toMatchObject({
      state: 'accepted',
      acceptedBy: `bob@${peer.host}`,
    })
    await expect(server.services().invites.revoke(id)).rejects.toMatchObject({
      code: 'invite_state',
    })
  })

  it('tells somebody else only that it has been used', async () => {
    await bring(server, peer, acceptanceOf(peer, invite))
    for (const change of [
      { ...acceptanceOf(peer, invite), userID: 'Bob' },
      acceptanceOf(other, invite),
    ]) {
      const by = change.recipientProvider === peer.host ? peer : other
      const answer = await refused(() => bring(server, by, change))
      expect([answer?.status, Object.keys(answer?.json() ?? {})]).toEqual([409, ['message']])
    }
  })

  it('gives one 200 when two use it at once', async () => {
    const answers = await Promise.all(
      [peer, other, peer, other].map((who) => bring(server, who, acceptanceOf(who, invite))),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409])
    expect(await contactsOf(server, 'alice')).toHaveLength(1)
  })

  it('has one text for unknown, revoked, expired, and of a user who is disabled', async () => {
    const texts = new Set<string>()
    const ask = async (token: string) => {
      const body = { ...acceptanceOf(peer, invite), token }
      const answer = await refused(() => bring(server, peer, body))
      expect(answer?.status).toBe(400)
      texts.add(answer?.text ?? '')
    }
    await ask('nope')
    await ask(tokenOf(invite).slice(1))
    const { invites, users } = server.services()
    const revoked = await invites.create('alice')
    await invites.revoke(revoked.id)
    await ask(tokenOf(revoked.invite))
    await users.disableUser('alice')
    await ask(tokenOf(invite))
    await users.enableUser('alice')
    expect(texts.size).toBe(1)
  })

  it('ends after thirty days', async () => {
    await using young = await startServer()
    await young.addUser('alice')
    const late = await young.services().invites.create('alice')
    young.clock.advance('30d')
    const answer = await bring(young, peer, acceptanceOf(peer, late.invite))
    expect(answer.status).toBe(400)
    expect(await young.services().invites.list()).toMatchObject([{ state: 'expired' }])
  })

  it('reads the host as peers write it, and old reva on its own path', async () => {
    const { userID, ...rest } = acceptanceOf(peer, invite)
    const body = {
      invite: { ...rest, recipientProvider: `${peer.url}/`, userId: `${userID}@${peer.url}` },
    }
    const answer = await bring(server, peer, body, { path: '/ocm/invites/accept' })
    expect(answer.status).toBe(200)
    expect(await contactsOf(server, 'alice')).toMatchObject([{ address: `bob@${peer.host}` }])
  })

  it('refuses a body that is none, before it looks at the invite', async () => {
    const good = acceptanceOf(peer, invite)
    const { userID, ...incomplete } = good
    const rows: [number, unknown, string?][] = [
      [415, good, 'text/plain'],
      [415, good, ''],
      [400, '{'],
      [400, '[]'],
      [400, incomplete],
      [400, { ...good, recipientProvider: 'a b' }],
      [400, { ...good, recipientProvider: server.authority }],
      [400, { ...good, userID: 'b\u0000b' }],
      [413, { ...good, name: 'x'.repeat(17_000) }],
    ]
    for (const [status, body, contentType] of rows) {
      const how = contentType === undefined ? {} : { contentType }
      const answer = await refused(() => bring(server, peer, body, how))
      expect([status, body, answer?.status]).toEqual([status, body, status])
    }
    const named = await refused(() => bring(server, peer, incomplete))
    expect(named?.json()['validationErrors']).toEqual([
      { name: 'userID', message: expect.any(String) },
    ])
  })

  it('wants the signature of the server that it names (C4, D12)', async () => {
    const good = acceptanceOf(peer, invite)
    const stolen = newPeerKey(peer.key.keyId)
    const rows: [number, () => Promise<Awaited<ReturnType<typeof bring>>>][] = [
      [403, () => bring(server, other, good)],
      [401, () => bring(server, peer, good, { key: stolen })],
      // Whether it may come unsigned is in its discovery, which is remembered.
      [401, () => bring(server, peer, good, { unsigned: true })],
      [401, () => bring(server, peer, good, { created: server.clock.seconds() - 3600 })],
      [
        400,
        () => bring(server, peer, good, { sentBody: JSON.stringify({ ...good, userID: 'eve' }) }),
      ],
    ]
    for (const [status, ask] of rows) expect((await refused(ask))?.status).toBe(status)
    expect(await contactsOf(server, 'alice')).toEqual([])
  })

  it('lets a peer that does not sign come without a signature', async () => {
    await using plain = await independentPeer({ flavour: 'opencloud-2025-02' })
    const answer = await bring(server, plain, acceptanceOf(plain, invite), { unsigned: true })
    expect(answer.status).toBe(200)
  })

  it('refuses a peer that is denied', async () => {
    await using denied = await independentPeer()
    await server.services().peers.setTrust(denied.host, 'denied')
    const answer = await refused(() => bring(server, denied, acceptanceOf(denied, invite)))
    expect(answer?.status).toBe(403)
    expect(denied.requests).toEqual([])
  })
})
