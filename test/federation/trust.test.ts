import { describe, expect, it } from '@jest/globals'
import { readFile, writeFile } from 'node:fs/promises'
import { loadConfig } from '../../src/config/index.ts'
import { followConfig } from '../../src/reload.ts'
import { openServices } from '../../src/services.ts'
import { bearer, davClient } from '../support/dav-client.ts'
import { request } from '../support/http-request.ts'
import { independentPeer } from '../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

const open = async (server: TestServer, credential: string) =>
  (await davClient(`${server.url}/dav/ocm/`, bearer(credential)).get('beach.txt')).status

async function configure(server: TestServer, federation: unknown): Promise<void> {
  const content = JSON.parse(await readFile(server.configFile, 'utf8')) as object
  await writeFile(server.configFile, JSON.stringify({ ...content, federation }))
}

const follow = (server: TestServer) =>
  followConfig(server.services(), () => loadConfig({ file: server.configFile, environment: {} }), {
    renewCertificate: () => undefined,
  })

const criteriaOf = async (server: TestServer) =>
  (await request(`${server.url}/.well-known/ocm`)).json()['criteria']

describe('the operator’s word on a peer', () => {
  it('is heard by the running server with the next request, and can be taken back', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const { secret } = await shareWith(server, peer)
    const token = await peer.exchange(server, secret)
    expect([await open(server, token), await open(server, secret)]).toEqual([200, 200])

    // As the command line does it: another process on the same database.
    const { config } = server.services()
    const other = await openServices(config, server.log.log, { clock: server.clock })
    await other.peers.setTrust(peer.host, 'denied')
    expect([await open(server, token), await open(server, secret)]).toEqual([401, 401])
    const again = server.services().shares.createShare({
      owner: 'alice',
      path: '/Holiday',
      recipient: `bob@${peer.host}`,
    })
    await expect(again).rejects.toMatchObject({ code: 'peer_denied' })
    await other.peers.setTrust(peer.host, 'allowed')
    expect([await open(server, token), await open(server, secret)]).toEqual([200, 200])
    expect(await other.peers.show(peer.host)).toMatchObject({ trust: 'allowed' })
    await other.close()
  })

  it('allows one beside a list, without closing anything to others', async () => {
    await using server = await startServer()
    const { peers } = server.services()
    await peers.setTrust('friend.example', 'allowed')
    expect(await peers.trustOf('friend.example')).toBe('allowed')
    expect(await peers.trustOf('other.example')).toBe('open')
    const listed = { ...server.services().federation.current(), allow: ['a.example'] }
    server.services().federation.replace(listed)
    expect(await peers.trustOf('friend.example')).toBe('allowed')
    expect(await peers.trustOf('other.example')).toBe('denied')
    await peers.setTrust('a.example', 'denied')
    expect(await peers.trustOf('a.example')).toBe('denied')
    await peers.setTrust('a.example', null)
    expect(await peers.trustOf('a.example')).toBe('allowed')
  })

  it('is forgotten with all the rest, once no share needs it', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const { id } = await shareWith(server, peer)
    const { peers, shares } = server.services()
    await peers.setTrust(peer.host, 'allowed')
    await expect(peers.forget(peer.host)).rejects.toMatchObject({ code: 'peer_in_use' })
    await shares.revokeShare(id)
    await server.services().peers.forget(peer.host)
    expect(await peers.list()).toEqual([])
    expect(await peers.trustOf(peer.host)).toBe('open')
  })
})

describe('the federation part of the configuration', () => {
  it('changes while the server runs: criteria, and who gets in', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const token = await peer.exchange(server, (await shareWith(server, peer)).secret)
    const following = follow(server)
    expect(await criteriaOf(server)).toEqual([])

    await configure(server, { deny: [peer.host], requireInvite: true, requireSignatures: true })
    following.reload()
    expect(await criteriaOf(server)).toEqual(['must-use-http-sig', 'must-invite', 'denylist'])
    expect(await open(server, token)).toBe(401)
    expect(server.log.entries()).toContainEqual(
      expect.objectContaining({ event: 'federation.reloaded' }),
    )

    await configure(server, { autoAccept: ['*.friends.example'] })
    following.reload()
    expect(await criteriaOf(server)).toEqual([])
    expect(await open(server, token)).toBe(200)
    const { peers } = server.services()
    expect(peers.isAutoAccepted('cloud.friends.example')).toBe(true)
    expect(peers.isAutoAccepted('friends.example')).toBe(false)
    following.stop()
  })

  it('stays as it was when the file is broken', async () => {
    await using server = await startServer({ config: { federation: { requireInvite: true } } })
    const following = follow(server)
    const good = await readFile(server.configFile, 'utf8')
    for (const broken of ['{', '{"federation":{"requireInvite":"no"}}', '{"unknown":1}']) {
      await writeFile(server.configFile, broken)
      following.reload()
      expect(await criteriaOf(server)).toEqual(['must-invite'])
    }
    server.log.clear()
    await writeFile(server.configFile, good)
    following.reload()
    following.stop()
    expect(server.log.text()).not.toContain('federation.reloaded')
  })

  it('is taken over by itself when the file changes', async () => {
    await using server = await startServer()
    const following = follow(server)
    const { federation } = server.services()
    await configure(server, { reshare: true })
    while (!federation.current().reshare) await new Promise((done) => setTimeout(done, 20))
    following.stop()
    expect(federation.current().reshare).toBe(true)
  })
})
