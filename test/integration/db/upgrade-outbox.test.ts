import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { inTransaction, outgoingShares } from '../../../src/db/index.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { independentPeer, type IndependentPeer } from '../../support/peer/independent-peer.ts'
import { serveProcess } from '../../support/run-cli.ts'
import { addAlice } from '../../support/share-with.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'
import { makeOld, migrations, rowsOf } from './old-database.ts'

/** Each case starts the built server. */
jest.setTimeout(60_000)

let server: TestServer
let peer: IndependentPeer

beforeEach(async () => {
  // The built server runs by the wall clock, so what it finds is from just now.
  const clock = fakeClock(Math.floor(Date.now() / 1000) * 1000)
  server = await startServer({ clock, courier: false })
  peer = await independentPeer()
  await addAlice(server)
})

afterEach(async () => {
  await Promise.all([peer.close(), server.close()])
})

const outboxSince = migrations.findIndex(({ sql }) => sql.includes('CREATE TABLE `outbox`'))
const versions = migrations.map(({ name }, index) => ({ name, count: index + 1 }))

/** A share that the peer has been told of, without an answer that got through. */
async function halfSend(): Promise<string> {
  peer.replyToShares({ status: 503 })
  const wanted = { owner: 'alice', path: '/Holiday', recipient: `bob@${peer.host}` }
  const { id, state } = await server.services().shares.createShare(wanted)
  expect([state, peer.shares.length]).toEqual(['pending', 1])
  return id
}

/** The built server over a copy of the data, as an older version left it, until all is told. */
async function upgrade(count: number, leave: (db: Sqlite.Database) => void) {
  const cwd = join(server.dir, 'upgraded')
  const path = join(cwd, 'davmesh.sqlite')
  mkdirSync(cwd)
  copyFileSync(join(server.dir, 'data', 'secret.key'), join(cwd, 'secret.key'))
  await server.services().db.raw.reader.backup(path)
  makeOld(path, count)
  const db = new Sqlite(path)
  leave(db)
  db.close()
  const told = peer.shares.length
  const flags = ['--config', server.configFile, '--data-dir', cwd, '--listen', '127.0.0.1:0']
  await using running = await serveProcess(flags, { cwd })
  while ((rowsOf(path)['outbox'] ?? []).length > 0 || peer.shares.length === told) {
    await new Promise((done) => setTimeout(done, 20))
  }
  expect(await running.stop()).toBe(0)
  return { shares: rowsOf(path)['outgoing_shares'] as Record<string, unknown>[], err: running.err }
}

/** What the peer heard was the same share, twice. */
function expectSameShare(id: string): void {
  const [first, second, ...more] = peer.shares.map(({ body }) => body)
  expect(more).toEqual([])
  expect(second?.providerId).toBe(id)
  expect(second).toEqual(first)
}

describe('R15: an upgrade of a database with a message that was half sent', () => {
  it.each(versions.slice(0, outboxSince))(
    '$name, before there was an outbox: the share is told again, and is there',
    async ({ count }) => {
      const id = await halfSend()
      // Such a peer has it, and knows nothing of repeats.
      peer.replyToShares({ status: 409, body: { message: 'exists' } })
      const { shares, err } = await upgrade(count, (db) => {
        db.exec("UPDATE outgoing_shares SET problem = NULL, state = 'pending'")
      })
      expectSameShare(id)
      expect(shares).toMatchObject([{ id, state: 'sent', problem: null }])
      expect(err()).toContain('interrupted share notices are sent again')
    },
  )

  it.each(versions.slice(outboxSince))(
    '$name: what a server was sending when it was killed is sent by the next one',
    async ({ count }) => {
      const id = await halfSend()
      const { shares, err } = await upgrade(count, (db) => {
        const lease = db.prepare('UPDATE outbox SET lease_owner = ?, lease_until = ?')
        lease.run('serve-gone', Date.now() + 80_000)
        db.prepare('UPDATE outbox SET next_attempt_at = ?').run(Date.now() - 1)
      })
      expectSameShare(id)
      expect(shares).toMatchObject([{ id, state: 'sent', problem: null }])
      expect(err()).not.toContain('interrupted share notices')
    },
  )

  it('leaves alone what failed, was revoked, or is owed already', async () => {
    const { shares, outbox } = server.services()
    const recipient = `bob@${peer.host}`
    const give = () => shares.createShare({ owner: 'alice', path: '/Holiday', recipient })
    await give()
    peer.replyToShares({ status: 403 }, { status: 503 }, { status: 503 })
    expect((await give()).state).toBe('failed')
    await shares.revokeShare((await give()).id)
    expect((await give()).state).toBe('pending')
    const before = await outbox.list()
    expect(await shares.oweInterrupted()).toBe(0)
    expect(await outbox.list()).toEqual(before)
  })

  it('leaves alone what was dropped before it was ever tried', async () => {
    const { db, shares, outbox } = server.services()
    const { id } = await shares.createShare({
      owner: 'alice',
      path: '/Holiday',
      recipient: `bob@${peer.host}`,
    })
    await inTransaction(db, async (tx) => {
      await tx.update(outgoingShares).set({ state: 'pending', sentAt: null, problem: null })
    })
    expect((await shares.getShare(id)).state).toBe('pending')
    expect(await shares.oweInterrupted()).toBe(0)
    expect(await outbox.list()).toEqual([])
  })
})
