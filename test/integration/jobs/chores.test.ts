import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { basic, davClient } from '../../support/dav-client.ts'
import { runCliHere } from '../../support/cli-in-process.ts'
import { tokenStage, type TokenStage } from '../../support/token-stage.ts'

/** Many requests, on a machine that may be busy. */
jest.setTimeout(30_000)

let stage: TokenStage
let password: string
let home: string

beforeEach(async () => {
  stage = await tokenStage()
  const { users } = stage.server.services()
  password = await stage.server.addUser('bob')
  home = (await users.getUser('bob')).home
})

afterEach(() => stage.close())

const run = (name: string) => stage.server.services().jobs.run(name)

const count = (table: string): unknown =>
  stage.server.services().db.raw.reader.prepare(`SELECT count(*) FROM ${table}`).pluck().get()

const bob = () => davClient(`${stage.server.url}/dav/files/bob/`, basic('bob', password))

describe('what has ended goes', () => {
  it('access tokens, a day after they have expired', async () => {
    const { server, peer, share } = stage
    await peer.exchange(server, share.secret)
    const before = count('access_tokens')
    await run('expire-tokens')
    expect(count('access_tokens')).toBe(before)
    server.clock.advance('26h')
    expect(await run('expire-tokens')).toEqual({
      text: `${String(before)} access tokens removed`,
      error: null,
    })
    expect(count('access_tokens')).toBe(0)
  })

  it('more than one transaction takes', async () => {
    const { db, clock } = stage.server.services()
    const insert = db.raw.writer.prepare('INSERT INTO login_failures VALUES (?, 1, ?)')
    for (let n = 0; n < 500; n += 1) insert.run(`key ${n}`, clock.now() - 1)
    insert.run('running', clock.now() + 1000)
    expect((await run('forget-failures')).text).toBe('500 counts of failed logins removed')
    expect(count('login_failures')).toBe(1)
  })

  it('locks', async () => {
    const { server } = stage
    const body =
      '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
      '<D:locktype><D:write/></D:locktype></D:lockinfo>'
    const headers = { 'content-type': 'text/xml', timeout: 'Second-60' }
    expect((await bob().call('LOCK', 'x.txt', { headers, body })).status).toBe(201)
    await run('expire-locks')
    expect(count('locks')).toBe(1)
    server.clock.advance('2m')
    await run('expire-locks')
    expect(count('locks')).toBe(0)
  })

  it('invites, a month after they have expired', async () => {
    const { server } = stage
    await server.services().invites.create('bob')
    server.clock.advance('59d')
    await run('expire-invites')
    expect(count('invites')).toBe(1)
    server.clock.advance('2d')
    await run('expire-invites')
    expect(count('invites')).toBe(0)
  })

  it('so that rows stay as many as they were, whatever happens for weeks', async () => {
    const { server, peer, share } = stage
    const { jobs, invites } = server.services()
    const counts: unknown[] = []
    for (let day = 0; day < 90; day += 5) {
      await peer.exchange(server, share.secret)
      await invites.create('bob')
      await davClient(`${server.url}/dav/files/bob/`, basic('bob', `wrong ${day}`)).propfind()
      server.clock.advance('5d')
      for (const { name } of await jobs.list()) if (name !== 'refresh-peers') await run(name)
      counts.push(['access_tokens', 'login_failures', 'invites', 'job_leases'].map(count))
    }
    expect(counts.at(-1)).toEqual(counts.at(-4))
  })
})

describe('R24: sweep-uploads', () => {
  const hoursAgo = (hours: number): number => stage.server.clock.now() / 1000 - hours * 3600

  it('removes what is older than an hour, puts back what was set aside, and nothing else', async () => {
    const old = '.davmesh-put-old'
    const young = '.davmesh-put-young'
    const aside = join(home, '.davmesh-swap-old')
    for (const [name, hours] of [
      [old, 1.1],
      [young, 0.9],
      ['.davmesh-notes', 100],
    ] as const) {
      writeFileSync(join(home, name), 'half')
      utimesSync(join(home, name), hoursAgo(hours), hoursAgo(hours))
    }
    mkdirSync(aside)
    writeFileSync(join(aside, 'only.txt'), 'the only copy')
    utimesSync(aside, hoursAgo(2), hoursAgo(2))
    expect((await run('sweep-uploads')).text).toBe(
      '2 left by interrupted writes removed, 1 of them put back',
    )
    expect(readdirSync(home).sort()).toEqual(['.davmesh-notes', young, 'only.txt'])
    expect(readFileSync(join(home, 'only.txt'), 'utf8')).toBe('the only copy')
  })

  it('never removes a running upload, however long it has been silent', async () => {
    let more = (): void => undefined
    const waiting = new Promise<void>((resolve) => (more = resolve))
    async function* body() {
      yield Buffer.alloc(8_000_000, 'a')
      await waiting
      yield Buffer.from('the end')
    }
    const { treeOf, users } = stage.server.services()
    const upload = treeOf(await users.getUser('bob')).write(['slow.bin'], body())
    const temporary = () => readdirSync(home).find((name) => name.startsWith('.davmesh-put-'))
    while (temporary() === undefined) await new Promise((done) => setTimeout(done, 5))
    const path = join(home, temporary() ?? '')
    utimesSync(path, hoursAgo(5), hoursAgo(5))
    expect(await run('sweep-uploads')).toEqual({ text: null, error: null })
    expect(existsSync(path)).toBe(true)
    more()
    await upload
    expect(readFileSync(join(home, 'slow.bin'))).toHaveLength(8_000_007)
    expect(readdirSync(home)).toEqual(['slow.bin'])
  })
})

describe('refresh-peers', () => {
  it('asks the peers that share with us before their document is too old', async () => {
    const { server, peer, stranger } = stage
    const { peers, shares } = server.services()
    const at = async (host: string) => (await peers.show(host)).discoveredAt
    const [known] = (await shares.listShares()).filter((one) => one.recipientHost === stranger.host)
    await shares.revokeShare(known?.id ?? '')
    await server.services().outbox.runDue()
    const first = await at(peer.host)
    expect((await run('refresh-peers')).text).toBeNull()
    server.clock.advance('21h')
    expect((await run('refresh-peers')).text).toBe('1 servers asked again, 0 did not answer')
    expect(await at(peer.host)).toBe(server.clock.now())
    expect(await at(stranger.host)).toBeLessThanOrEqual(first ?? 0)
    await peer.close()
    server.clock.advance('21h')
    expect((await run('refresh-peers')).text).toBe('0 servers asked again, 1 did not answer')
    expect((await run('refresh-peers')).text).toBeNull()
  })
})

describe('davmesh jobs, beside a running server', () => {
  const davmesh = (...args: string[]) =>
    runCliHere(['--config', stage.server.configFile, 'jobs', ...args], stage.server.dir)

  it('lists and runs', async () => {
    const listed = await davmesh('list', '--json')
    const jobs = JSON.parse(listed.out) as Record<string, unknown>[]
    expect([listed.code, jobs.map(({ name }) => name)]).toEqual([
      0,
      [
        'rotate-keys',
        'expire-locks',
        'expire-tokens',
        'expire-invites',
        'forget-failures',
        'sweep-uploads',
        'refresh-peers',
      ],
    ])
    expect(Object.keys(jobs[0] ?? {})).toEqual([
      'name',
      'everySeconds',
      'state',
      'nextRunAt',
      'lastStartedAt',
      'lastEndedAt',
      'lastOutcome',
      'lastError',
    ])
    expect((await davmesh('list')).out).toMatch(/^NAME +EVERY S +STATE/)
    expect(await davmesh('run', 'expire-locks')).toMatchObject({
      code: 0,
      out: 'There was nothing to do.\n',
    })
    const ran = await davmesh('run', 'sweep-uploads', '--json')
    expect(JSON.parse(ran.out)).toMatchObject({ name: 'sweep-uploads', state: 'waiting' })
    const unknown = await davmesh('run', 'nothing')
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('jobs list')])
  })
})
