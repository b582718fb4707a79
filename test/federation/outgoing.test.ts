import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

let server: TestServer
let peer: IndependentPeer

beforeEach(async () => {
  server = await startServer({ courier: false })
  peer = await independentPeer()
  await addAlice(server)
})

afterEach(async () => {
  await Promise.all([peer.close(), server.close()])
})

const share = () =>
  server
    .services()
    .shares.createShare({ owner: 'alice', path: '/Holiday', recipient: `bob@${peer.host}` })

const states = async () =>
  (await server.services().shares.listShares()).map(({ state, problem }) => [state, problem])

describe('a share that does not arrive', () => {
  it('is sent again by itself until it does, as the same share', async () => {
    peer.replyToShares({ status: 503 }, { status: 500 })
    expect(await share()).toMatchObject({ state: 'pending', problem: `${peer.host} answered 503` })
    const { outbox } = server.services()
    expect(await outbox.runDue()).toBe(0)
    for (const by of ['5s', '10s']) {
      server.clock.advance(by)
      expect(await outbox.runDue()).toBe(1)
    }
    expect(await states()).toEqual([['sent', null]])
    expect(peer.shares).toHaveLength(3)
    expect(new Set(peer.shares.map(({ body }) => JSON.stringify(body))).size).toBe(1)
  })

  it('is there when the peer calls its repeat a conflict', async () => {
    peer.takeOver('/ocm/shares', (req) => void req.socket.destroy())
    expect((await share()).state).toBe('pending')
    peer.takeOver('/ocm/shares', (_req, res) => void res.writeHead(409).end())
    server.clock.advance('5s')
    await server.services().outbox.runDue()
    expect(await states()).toEqual([['sent', null]])
  })

  it('is not there when the peer calls the first one a conflict, however often asked', async () => {
    const conflict = { status: 409, body: { message: 'exists' } }
    peer.replyToShares(conflict, conflict)
    const { id, state } = await share()
    expect(state).toBe('failed')
    expect((await server.services().shares.send(id)).state).toBe('failed')
  })

  it('survives a restart', async () => {
    peer.replyToShares({ status: 503 })
    await share()
    await server.restart()
    server.clock.advance('5s')
    await server.services().outbox.runDue()
    expect(await states()).toEqual([['sent', null]])
  })

  it('is given up after 14 days', async () => {
    peer.replyToShares({ status: 503 }, { status: 503 })
    await share()
    server.clock.advance('15d')
    await server.services().outbox.runDue()
    expect(await states()).toEqual([['failed', `${peer.host} answered 503`]])
    expect(await server.services().outbox.list()).toMatchObject([{ state: 'refused' }])
  })

  it('is never sent once it was revoked, and nothing is owed', async () => {
    peer.takeOver('/ocm/shares', (_req, res) => void res.writeHead(403).end())
    const { id } = await share()
    await server.services().shares.revokeShare(id)
    expect(await server.services().outbox.list()).toEqual([])
  })
})

describe('a share that is revoked', () => {
  beforeEach(() => {
    peer.takeOver('/ocm/notifications', (_req, res) => void res.writeHead(503).end())
  })

  it('owes its peer the news, with the secret sealed', async () => {
    const { id, secret } = await shareWith(server, peer)
    await server.services().shares.revokeShare(id)
    const owed = await server.services().outbox.list()
    expect(owed).toMatchObject([{ label: 'SHARE_UNSHARED', peer: peer.host, subject: id }])
    const { reader } = server.services().db.raw
    expect(JSON.stringify(reader.prepare('SELECT * FROM outbox').all())).not.toContain(secret)
    expect(reader.prepare('SELECT sealed_secret FROM refresh_tokens').pluck().all()).toEqual([null])
  })

  it('owes the news also when the answer to its notice was lost', async () => {
    peer.takeOver('/ocm/shares', (req) => void req.socket.destroy())
    const { id } = await share()
    await server.services().shares.revokeShare(id)
    expect(await server.services().outbox.list()).toMatchObject([{ label: 'SHARE_UNSHARED' }])
  })

  it('owes the news after the notice that is still on its way', async () => {
    peer.duringShare(async ({ body }) => {
      await server.services().shares.revokeShare(body.providerId)
    })
    expect((await share()).state).toBe('revoked')
    expect(await server.services().outbox.list()).toMatchObject([{ label: 'SHARE_UNSHARED' }])
  })

  it('ends what was passed on from it', async () => {
    const parent = await shareWith(server, peer)
    const child = await shareWith(server, peer)
    const grandchild = await shareWith(server, peer)
    const { writer } = server.services().db.raw
    const adopt = writer.prepare('UPDATE outgoing_shares SET parent_id = ? WHERE id = ?')
    adopt.run(parent.id, child.id)
    adopt.run(child.id, grandchild.id)
    await server.services().shares.revokeShare(parent.id)
    expect((await states()).map(([state]) => state)).toEqual(['revoked', 'revoked', 'revoked'])
    const owed = await server.services().outbox.list()
    expect(owed.map(({ subject }) => subject)).toEqual([grandchild.id, child.id, parent.id])
    for (const { secret } of [parent, child, grandchild]) {
      expect(await server.services().shares.findLiveShare(secret)).toBeUndefined()
    }
  })
})

describe('a peer in trouble', () => {
  it('is left alone after five failures, while others get theirs', async () => {
    await using other = await independentPeer()
    peer.takeOver('/ocm/shares', (_req, res) => void res.writeHead(500).end())
    for (let count = 0; count < 5; count += 1) await share()
    await expect(share()).rejects.toMatchObject({ code: 'peer_resting' })
    server.clock.advance('20s')
    await server.services().outbox.runDue()
    const posts = () => peer.requests.filter((line) => line === 'POST /ocm/shares').length
    expect(posts()).toBe(5)
    await shareWith(server, other)
    expect(await server.services().peers.show(peer.host)).toMatchObject({
      breaker: { state: 'open', failures: 5 },
    })
    peer.takeOver('/ocm/shares', (_req, res) => void res.writeHead(201).end('{}'))
    server.clock.advance('10s')
    await server.services().outbox.runDue()
    expect((await server.services().peers.show(peer.host)).breaker).toBeNull()
    server.clock.advance('1m')
    await server.services().outbox.runDue()
    expect(await server.services().outbox.list()).toEqual([])
  })
})
