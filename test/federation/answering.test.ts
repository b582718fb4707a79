import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inTransaction } from '../../src/db/index.ts'
import { runCliHere } from '../support/cli-in-process.ts'
import { offerOf, type Offer } from '../support/offer.ts'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { leaksIn } from '../support/secrets.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

let server: TestServer
let peer: IndependentPeer

beforeAll(async () => {
  server = await startServer()
  await server.addUser('marie')
  peer = await independentPeer()
  // What it is told stays in the outbox, refused, to be looked at.
  peer.takeOver('/ocm/notifications', (_request, response) => void response.writeHead(501).end())
})

afterAll(async () => {
  await peer.close()
  await server.close()
})

/** Offers something and gives the id under which it was received. */
async function receive(change: Offer = {}, to = server): Promise<string> {
  const offer = offerOf(to, peer, change)
  expect((await peer.offer(to, offer)).status).toBe(201)
  const rows = await to.services().incoming.findOffers(String(offer['providerId']), peer.host)
  return rows.at(-1)?.id ?? ''
}

/** What is owed to the sender of one share, oldest first. */
const owed = (subject: string, by = server): unknown[] =>
  by
    .services()
    .db.raw.reader.prepare('SELECT label FROM outbox WHERE subject = ? ORDER BY seq')
    .pluck()
    .all(subject)

const secretsKept = (by = server): unknown =>
  by
    .services()
    .db.raw.reader.prepare('SELECT count(*) FROM incoming_shares WHERE sealed_secret IS NOT NULL')
    .pluck()
    .get()

async function cli(...args: string[]) {
  const answer = await runCliHere(['--config', server.configFile, ...args, '--json'], server.dir)
  const json: unknown = answer.out === '' ? undefined : JSON.parse(answer.out)
  return { ...answer, json }
}

describe('davmesh received', () => {
  it('lists what came, and takes it, once', async () => {
    // The command line goes by the real clock.
    const expiresAt = '2999-12-31T00:00:00.000Z'
    const id = await receive({ name: 'Paris', expiration: Date.parse(expiresAt) / 1000 })
    const listed = (await cli('received', 'list', '--user', 'marie')).json as { id: string }[]
    expect(listed.find((one) => one.id === id)).toEqual({
      id,
      user: 'marie',
      sender: `einstein@${peer.host}`,
      senderName: 'Albert Einstein',
      owner: `einstein@${peer.host}`,
      name: 'Paris',
      resourceType: 'folder',
      permissions: ['read'],
      state: 'pending',
      mountPath: null,
      createdAt: new Date(server.clock.now()).toISOString(),
      expiresAt,
      problem: null,
      problemSince: null,
    })
    for (let times = 0; times < 2; times++) {
      const accepted = await cli('received', 'accept', id)
      expect(accepted).toMatchObject({ code: 0, json: { state: 'accepted' } })
      expect(accepted.json).toMatchObject({ mountPath: '/Shared/Paris' })
    }
    expect(owed(id)).toEqual(['SHARE_ACCEPTED'])
  })

  it('declines, before and after acceptance, once', async () => {
    const fresh = await receive()
    const accepted = await receive()
    await cli('received', 'accept', accepted)
    for (const id of [fresh, accepted, fresh]) {
      expect(await cli('received', 'decline', id)).toMatchObject({
        code: 0,
        json: { state: 'declined', mountPath: null },
      })
    }
    expect(owed(fresh)).toEqual(['SHARE_DECLINED'])
    expect(owed(accepted)).toEqual(['SHARE_ACCEPTED', 'SHARE_DECLINED'])
    expect((await cli('received', 'accept', fresh)).err).toContain('received_state')
  })

  it('removes; a sender that knows, or shall not, is not told', async () => {
    const [pending, declined, forced] = [await receive(), await receive(), await receive()]
    await cli('received', 'decline', declined)
    await cli('received', 'accept', forced)
    await cli('received', 'remove', pending)
    await cli('received', 'remove', declined)
    const gone = await cli('received', 'remove', forced, '--force')
    expect(gone).toMatchObject({ code: 0, json: { state: 'removed' } })
    expect(owed(pending)).toEqual(['SHARE_DECLINED'])
    expect(owed(declined)).toEqual(['SHARE_DECLINED'])
    expect(owed(forced)).toEqual([])
    expect((await cli('received', 'remove', pending)).code).toBe(0)
    expect((await cli('received', 'accept', pending)).code).toBe(1)
    expect((await cli('received', 'decline', pending)).code).toBe(1)
  })

  it('tries again, and knows what it does not know', async () => {
    const id = await receive()
    expect((await cli('received', 'retry', id)).code).toBe(0)
    expect((await cli('received', 'list', '--user', 'nobody')).code).toBe(1)
    for (const verb of ['accept', 'decline', 'remove', 'retry']) {
      const answer = await cli('received', verb, 'rcv-nothing')
      expect([verb, answer.code, answer.err]).toEqual([
        verb,
        1,
        'error: There is no received share "rcv-nothing". [received_not_found]\n',
      ])
    }
  })

  it('says the same to people', async () => {
    const text = await runCliHere(['--config', server.configFile, 'received', 'list'], server.dir)
    expect(text.out).toMatch(/^ID +USER +FROM +NAME +PERMISSIONS +STATE +AT +SINCE +PROBLEM\n/)
  })
})

describe('an accepted share', () => {
  it('has a name of its own, whatever clients think of case and accents', async () => {
    const names: (string | null)[] = []
    for (const name of [
      'Caf\u00e9',
      'CAFE\u0301',
      'caf\u00e9',
      'CON',
      'x'.repeat(255),
      'X'.repeat(255),
    ]) {
      names.push((await server.services().incoming.accept(await receive({ name }))).mountName)
    }
    for (const name of ['a.jpg', 'A.JPG', '.profile', '.profile']) {
      const id = await receive({ name, resourceType: 'file' })
      names.push((await server.services().incoming.accept(id)).mountName)
    }
    expect(names).toEqual([
      'Caf\u00e9',
      'CAF\u00c9 (2)',
      'caf\u00e9 (3)',
      'CON',
      'x'.repeat(255),
      `${'X'.repeat(251)} (2)`,
      'a.jpg',
      'A (2).JPG',
      '.profile',
      '.profile (2)',
    ])
  })

  it('gives its name back when it ends', async () => {
    const { incoming, users } = server.services()
    const id = await receive({ name: 'Again' })
    await incoming.accept(id)
    const { id: userId } = await users.getUser('marie')
    expect(await incoming.findMount(userId, 'Again')).toMatchObject({ id })
    await incoming.decline(id)
    expect(await incoming.findMount(userId, 'Again')).toBeUndefined()
    const next = await incoming.accept(await receive({ name: 'Again' }))
    expect(next.mountName).toBe('Again')
  })

  it('is accepted once, by many at once', async () => {
    const id = await receive({ name: 'Many' })
    const { incoming } = server.services()
    const answers = await Promise.all(Array.from({ length: 20 }, () => incoming.accept(id)))
    expect(new Set(answers.map(({ mountName }) => mountName))).toEqual(new Set(['Many']))
    expect(owed(id)).toEqual(['SHARE_ACCEPTED'])
    expect(await incoming.get(id)).toMatchObject({ state: 'accepted', mountName: 'Many' })
  })

  it('is none when its time is over', async () => {
    const id = await receive({ expiration: server.clock.seconds() + 60 })
    server.clock.advance('61s')
    await expect(server.services().incoming.accept(id)).rejects.toMatchObject({
      code: 'received_state',
    })
  })

  it('needs no accepting from a host in federation.autoAccept', async () => {
    const federation = { autoAccept: [peer.host] }
    await using open = await startServer({ config: { federation } })
    await using other = await independentPeer()
    await open.addUser('marie')
    const id = await receive({ name: 'Given' }, open)
    expect(await open.services().incoming.get(id)).toMatchObject({
      state: 'accepted',
      mountName: 'Given',
    })
    expect(owed(id, open)).toEqual(['SHARE_ACCEPTED'])
    expect((await open.services().incoming.accept(id)).state).toBe('accepted')
    expect(owed(id, open)).toEqual(['SHARE_ACCEPTED'])
    await other.offer(open, offerOf(open, other))
    const states = (await open.services().incoming.list()).map(({ state }) => state)
    expect(states.sort()).toEqual(['accepted', 'pending'])
  })
})

describe('a share that its sender takes back', () => {
  it('is removed, with its secret, once', async () => {
    const { incoming, db } = server.services()
    const id = await receive({ name: 'Taken' })
    await incoming.accept(id)
    const { providerId } = await incoming.get(id)
    for (let times = 0; times < 2; times++) {
      const rows = await incoming.findOffers(providerId, peer.host)
      await inTransaction(db, (tx) => incoming.endBySender(tx, rows))
    }
    expect(await incoming.get(id)).toMatchObject({
      state: 'removed',
      endedBy: 'sender',
      mountName: null,
    })
    expect(owed(id)).toEqual(['SHARE_ACCEPTED'])
  })
})

describe('the secret of a share', () => {
  it('is recognised while the share lives', async () => {
    await using fresh = await startServer()
    await fresh.addUser('marie')
    const id = await receive({}, fresh)
    const { incoming } = fresh.services()
    const { providerId } = await incoming.get(id)
    const [row] = await incoming.findOffers(providerId)
    const [, secret = ''] = fresh.secrets
    if (!row) throw new Error('not received')
    expect(incoming.matchesSecret(row, secret)).toBe(true)
    expect(incoming.matchesSecret(row, `${secret}x`)).toBe(false)
    expect(incoming.matchesSecret(row, '')).toBe(false)
    expect(secretsKept(fresh)).toBe(1)
    await incoming.remove(id)
    expect(secretsKept(fresh)).toBe(0)
    const [over] = await incoming.findOffers(providerId)
    expect(over && incoming.matchesSecret(over, secret)).toBe(false)
  })

  it('is in no log, no answer and no file of the data directory', async () => {
    await using fresh = await startServer()
    await fresh.addUser('marie')
    const { incoming } = fresh.services()
    const texts: string[] = []
    for (const verb of ['accept', 'decline', 'remove'] as const) {
      texts.push(JSON.stringify(await incoming[verb](await receive({}, fresh))))
    }
    const offer = offerOf(fresh, peer)
    texts.push((await peer.offer(fresh, { ...offer, name: '../x' })).text)
    texts.push((await peer.offer(fresh, { ...offer, shareType: 'group' })).text)
    texts.push((await peer.offer(fresh, offer)).text)
    texts.push((await peer.offer(fresh, { ...offer, name: 'Other' })).text)
    await receive({}, fresh)
    texts.push(JSON.stringify(await incoming.list()), fresh.log.text())
    for (const name of await readdir(join(fresh.dir, 'data'))) {
      if (name !== 'files') texts.push(await readFile(join(fresh.dir, 'data', name), 'latin1'))
    }
    for (const text of texts) expect(leaksIn(text, fresh.secrets)).toEqual([])
  })
})
