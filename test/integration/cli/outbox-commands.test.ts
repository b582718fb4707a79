import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { inTransaction } from '../../../src/db/index.ts'
import { runCliHere } from '../../support/cli-in-process.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { offerOf } from '../../support/offer.ts'
import { independentPeer, type IndependentPeer } from '../../support/peer/independent-peer.ts'
import { leaksIn } from '../../support/secrets.ts'
import { addAlice, shareWith } from '../../support/share-with.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

/** Many messages and commands take a while on a busy machine. */
jest.setTimeout(30_000)

let server: TestServer
let peer: IndependentPeer
const text = expect.any(String)
const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

beforeEach(async () => {
  // The commands run by the wall clock, so the server beside them does too.
  const clock = fakeClock(Math.floor(Date.now() / 1000) * 1000)
  server = await startServer({ clock, courier: false })
  peer = await independentPeer()
  await addAlice(server)
})

afterEach(async () => {
  await Promise.all([peer.close(), server.close()])
})

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Whatever it prints, no secret is in it. */
async function davmesh(...args: string[]): Promise<Ran> {
  const ran = await runCliHere(['--config', server.configFile, 'outbox', ...args], server.dir)
  expect(leaksIn(ran.out + ran.err, server.secrets)).toEqual([])
  return ran
}

async function json(...args: string[]): Promise<unknown> {
  const { code, out, err } = await davmesh(...args, '--json')
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out)
}

const answer = (status: number) =>
  peer.takeOver('/ocm/notifications', (_req, res) => void res.writeHead(status).end())

/** A share that was revoked while its recipient's server was in trouble. */
async function owe(status = 503): Promise<{ id: string; subject: string }> {
  const { id: subject } = await shareWith(server, peer)
  answer(status)
  await server.services().shares.revokeShare(subject)
  const entries = await server.services().outbox.list()
  const id = entries.find((entry) => entry.subject === subject)?.id ?? ''
  return { id, subject }
}

describe('davmesh outbox list', () => {
  it('says when nothing waits', async () => {
    expect(await davmesh('list')).toEqual({ code: 0, out: 'Nothing waits.\n', err: '' })
    expect(await json('list')).toEqual([])
  })

  it('shows what waits and what was refused, oldest first, and no secret', async () => {
    const first = await owe(503)
    const second = await owe(403)
    const common = { kind: 'notification', label: 'SHARE_UNSHARED', peer: peer.host, attempts: 1 }
    const times = { nextAttemptAt: instant, createdAt: instant }
    expect(await json('list')).toEqual([
      {
        ...{ ...first, ...common, ...times },
        ...{ state: 'waiting', lastError: `${peer.host} answered 503` },
      },
      {
        ...{ ...second, ...common, ...times },
        ...{ state: 'refused', lastError: `${peer.host} answered 403` },
      },
    ])
    const { code, out } = await davmesh('list')
    expect(code).toBe(0)
    const [head, one, two, ...none] = out.trimEnd().split('\n')
    expect(head).toMatch(/^ID +MESSAGE +PEER +ABOUT +STATE +ATTEMPTS +NEXT +LAST ERROR$/)
    expect(one).toMatch(new RegExp(`^${first.id} +SHARE_UNSHARED .* waiting +1 +\\d{4}-.*503$`))
    expect(two).toMatch(new RegExp(`^${second.id} +SHARE_UNSHARED .* refused +1 +- .*403$`))
    expect(none).toEqual([])
  })

  it('shows what is on its way', async () => {
    await owe()
    const { db } = server.services()
    const until = Date.now() + 60_000
    const lease = db.raw.writer.prepare('UPDATE outbox SET lease_owner = ?, lease_until = ?')
    await inTransaction(db, () => Promise.resolve(lease.run('serve-x', until)))
    expect(await json('list')).toMatchObject([{ state: 'sending' }])
  })
})

describe('davmesh outbox retry', () => {
  it.each([503, 403])('delivers what got %d, once the peer takes it', async (status) => {
    const { id } = await owe(status)
    const failed = await davmesh('retry', id)
    const said = `SHARE_UNSHARED was not delivered: ${peer.host} answered ${status}\n`
    expect(failed).toEqual({ code: 1, out: said, err: '' })
    const again = await davmesh('retry', id, '--json')
    expect(again.code).toBe(1)
    expect(JSON.parse(again.out)).toMatchObject({ id, lastError: text })
    answer(201)
    const delivered = await davmesh('retry', id)
    expect(delivered).toEqual({ code: 0, out: `${peer.host} took SHARE_UNSHARED.\n`, err: '' })
    expect(await json('list')).toEqual([])
    const gone = await davmesh('retry', id)
    expect([gone.code, gone.err]).toEqual([1, expect.stringContaining('[entry_not_found]')])
  })

  it('says what has to go first', async () => {
    await server.addUser('marie')
    const offer = offerOf(server, peer)
    await peer.offer(server, offer)
    answer(503)
    const { incoming } = server.services()
    const [share] = await incoming.findOffers(String(offer['providerId']))
    await incoming.accept(share?.id ?? '')
    await incoming.decline(share?.id ?? '')
    const [first, second] = (await json('list')) as { id: string; label: string }[]
    expect([first?.label, second?.label]).toEqual(['SHARE_ACCEPTED', 'SHARE_DECLINED'])
    const { code, out } = await davmesh('retry', second?.id ?? '')
    const said = `SHARE_DECLINED was not delivered: an earlier message about ${share?.id} goes first\n`
    expect([code, out]).toEqual([1, said])
  })

  it('prints null when it was delivered', async () => {
    const { id } = await owe()
    answer(201)
    expect(await json('retry', id)).toBeNull()
  })
})

describe('davmesh outbox drop', () => {
  it('forgets an entry, and the peer never hears of it', async () => {
    const { id } = await owe()
    const other = await owe()
    const asked = peer.requests.length
    const dropped = await davmesh('drop', id)
    const said = `SHARE_UNSHARED to ${peer.host} is dropped.\n`
    expect(dropped).toEqual({ code: 0, out: said, err: '' })
    expect(await json('drop', other.id)).toMatchObject({ id: other.id, state: 'waiting' })
    answer(201)
    server.clock.advance('1h')
    expect(await server.services().outbox.runDue()).toBe(0)
    expect(peer.requests).toHaveLength(asked)
  })
})

describe('what is wrong', () => {
  it.each(['retry', 'drop'])('%s of an unknown id is 1, with the code', async (verb) => {
    for (const more of [[], ['--json']]) {
      const { code, out, err } = await davmesh(verb, 'obx-0', ...more)
      expect([code, out]).toEqual([1, ''])
      expect(err).toContain('There is no outbox entry "obx-0".')
      expect(err).toContain('[entry_not_found]')
    }
  })

  it.each(['retry', 'drop', 'empty', 'list --all'])('%s is usage: 2', async (line) => {
    expect((await davmesh(...line.split(' '))).code).toBe(2)
  })
})
