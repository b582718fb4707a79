import { describe, expect, it } from '@jest/globals'
import { join } from 'node:path'
import { createEventHub } from '../../../src/core/index.ts'
import { migrateDatabase, openDatabase } from '../../../src/db/index.ts'
import type { GuardedClient, OutboundRequest } from '../../../src/http/index.ts'
import { createPeers } from '../../../src/peers/index.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { discoveryOf } from '../../support/peer/discovery.ts'
import { newPeerKey } from '../../support/peer/signing.ts'
import { tempDir } from '../../support/temp-dir.ts'

const host = 'peer.example.org'
const origin = `https://${host}`
const one = newPeerKey(`${origin}/ocm#one`)
const two = newPeerKey(`${origin}/ocm#two`)

/** Peers on a client that answers from memory: what is asked for is what this suite is about. */
async function openPeers() {
  const folder = await tempDir()
  const db = openDatabase(join(folder.path, 'davmesh.sqlite'))
  migrateDatabase(db, 1)
  const clock = fakeClock()
  const asked: string[] = []
  const state: { keys: unknown[]; down: boolean; gate: Promise<void> | undefined } = {
    keys: [one.jwk],
    down: false,
    gate: undefined,
  }
  const client: GuardedClient = {
    async request({ url }: OutboundRequest) {
      asked.push(new URL(url).pathname)
      await state.gate
      if (state.down) throw new Error('down')
      const document = String(url).endsWith('/jwks')
        ? { keys: state.keys }
        : discoveryOf('plain', origin)
      const body = Buffer.from(JSON.stringify(document))
      return { status: 200, headers: {}, body, url: String(url) }
    },
    stream: () => Promise.reject(new Error('not used')),
    close: () => Promise.resolve(),
  }
  const policy = {
    allow: [],
    deny: ['evil.example.org'],
    requireInvite: false,
    requireSignatures: false,
    requireTokenExchange: false,
    autoAccept: [],
    reshare: false,
  }
  const open = () =>
    createPeers({
      db,
      clock,
      client,
      events: createEventHub(),
      policy: () => policy,
      allowHttp: false,
      signer: () => Promise.reject(new Error('not used')),
      legacySigner: undefined,
    })
  return {
    peers: open(),
    /** The same database in another process. */
    reopen: open,
    db,
    clock,
    asked,
    state,
    async [Symbol.asyncDispose]() {
      db.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

describe('finding the key of a peer', () => {
  it('asks once for discovery and keys, then not again for ten minutes', async () => {
    await using opened = await openPeers()
    await opened.peers.discover(host)
    const { peers, asked, clock } = opened
    expect(await peers.findKey(host, one.keyId)).toMatchObject({ status: 'found' })
    expect(asked).toEqual(['/.well-known/ocm', '/ocm/jwks'])
    clock.advance('599s')
    await peers.findKey(host, one.keyId)
    expect(asked).toHaveLength(2)
    clock.advance('1s')
    await peers.findKey(host, one.keyId)
    expect(asked.slice(2)).toEqual(['/ocm/jwks'])
  })

  it('remembers over a restart', async () => {
    await using opened = await openPeers()
    await opened.peers.discover(host)
    await opened.peers.findKey(host, one.keyId)
    expect(await opened.reopen().findKey(host, one.keyId)).toMatchObject({ status: 'found' })
    expect(opened.asked).toHaveLength(2)
  })

  it('asks once more for an unknown key, but at most every 30 seconds', async () => {
    await using opened = await openPeers()
    await opened.peers.discover(host)
    const { peers, asked, clock, state } = opened
    await peers.findKey(host, one.keyId)
    state.keys = [one.jwk, two.jwk]
    // Rotated within half a minute of the last look: not asked yet.
    expect((await peers.findKey(host, two.keyId)).status).not.toBe('found')
    expect(asked).toHaveLength(2)
    clock.advance('30s')
    expect((await peers.findKey(host, two.keyId)).status).toBe('found')
    for (let count = 0; count < 50; count++) await peers.findKey(host, `${origin}/ocm#x${count}`)
    expect(asked).toHaveLength(3)
  })

  it('finds the key of a stranger, and records nothing of it', async () => {
    await using opened = await openPeers()
    expect(await opened.peers.findKey(host, one.keyId)).toMatchObject({ status: 'found' })
    await expect(opened.peers.show(host)).rejects.toMatchObject({ code: 'bad_host' })
  })

  it('asks once for a hundred that want it at the same time', async () => {
    await using opened = await openPeers()
    const { peers, asked, state } = opened
    let release: (() => void) | undefined
    state.gate = new Promise<void>((done) => (release = done))
    const all = Array.from({ length: 100 }, () => peers.findKey(host, one.keyId))
    release?.()
    const found = await Promise.all(all)
    expect(found.every(({ status }) => status === 'found')).toBe(true)
    expect(asked).toEqual(['/.well-known/ocm', '/ocm/jwks'])
  })

  it('forgets a flight that failed, and asks again only after 30 seconds', async () => {
    await using opened = await openPeers()
    const { peers, asked, clock, state } = opened
    state.down = true
    const find = () => peers.findKey(host, one.keyId)
    await expect(find()).rejects.toMatchObject({ code: 'keys_unreachable', kind: 'upstream' })
    const tried = asked.length
    await expect(find()).rejects.toMatchObject({ code: 'keys_unreachable' })
    expect(asked).toHaveLength(tried)
    state.down = false
    clock.advance('30s')
    expect((await find()).status).toBe('found')
  })

  it('lives on old keys for a day while the peer is down, and no longer', async () => {
    await using opened = await openPeers()
    const { peers, clock, state } = opened
    await peers.findKey(host, one.keyId)
    state.down = true
    clock.advance('23h')
    expect((await peers.findKey(host, one.keyId)).status).toBe('found')
    clock.advance('2h')
    await expect(peers.findKey(host, one.keyId)).rejects.toMatchObject({ code: 'keys_unreachable' })
  })

  it('never asks a denied peer', async () => {
    await using opened = await openPeers()
    const find = opened.peers.findKey('evil.example.org', 'https://evil.example.org/ocm#k')
    await expect(find).rejects.toMatchObject({ code: 'peer_denied' })
    expect(opened.asked).toEqual([])
  })

  it('remembers no stranger that cannot be discovered', async () => {
    await using opened = await openPeers()
    const { peers, state, db } = opened
    state.down = true
    for (let count = 0; count < 20; count++) {
      const stranger = `s${count}.example.org`
      await expect(peers.findKey(stranger, `https://${stranger}/ocm#k`)).rejects.toThrow()
    }
    expect(db.raw.reader.prepare('SELECT count(*) FROM peers').pluck().get()).toBe(0)
  })
})

describe('a discovered peer', () => {
  it('is asked again after a day, and used as remembered while it is down', async () => {
    await using opened = await openPeers()
    await opened.peers.discover(host)
    const { peers, asked, clock, state } = opened
    await peers.getPeer(host)
    clock.advance('23h')
    await peers.getPeer(host)
    expect(asked).toHaveLength(1)
    clock.advance('1h')
    state.down = true
    expect((await peers.getPeer(host)).discovery.provider).toBe('independent peer')
    expect(asked.length).toBeGreaterThan(1)
    expect((await peers.show(host)).lastError).toEqual(expect.any(String))
  })
})
