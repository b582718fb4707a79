import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { basic, davClient } from '../../support/dav-client.ts'
import { runCliHere } from '../../support/cli-in-process.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { independentPeer, type IndependentPeer } from '../../support/peer/independent-peer.ts'
import { runCli, type CliResult } from '../../support/run-cli.ts'
import { addAlice } from '../../support/share-with.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

let server: TestServer
let peer: IndependentPeer
const text = expect.any(String)
const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

/** Every command is a process that loads the whole program. */
jest.setTimeout(30_000)

beforeAll(async () => {
  // The commands run by the wall clock, so the server beside them starts there too.
  server = await startServer({ clock: fakeClock(Math.floor(Date.now() / 1000) * 1000) })
  peer = await independentPeer()
  await addAlice(server)
})

afterAll(async () => {
  await Promise.all([peer.close(), server.close()])
})

const davmesh = (args: string[], input?: string): Promise<CliResult> =>
  runCli(['--config', server.configFile, ...args], {
    cwd: server.dir,
    ...(input !== undefined && { input }),
  })

/** Runs a command with `--json`: one value on standard output, nothing on standard error. */
async function json(...args: string[]): Promise<unknown> {
  const result = await davmesh([...args, '--json'])
  expect([result.code, result.err]).toEqual([0, ''])
  return result.json()
}

/** The same without a process, where another command of the same kind has had one. */
async function jsonHere(...args: string[]): Promise<unknown> {
  const { code, out, err } = await here([...args, '--json'])
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out)
}

const here = (args: string[]) => runCliHere(['--config', server.configFile, ...args], server.dir)

const login = async (user: string, password: string) =>
  (await davClient(`${server.url}/dav/files/${user}/`, basic(user, password)).propfind()).status

describe('davmesh user, beside a running server', () => {
  it('adds, shows, disables, enables and removes', async () => {
    const bob = (await json('user', 'add', 'bob', '--email', 'b@example.org')) as {
      password: string
    }
    expect(bob).toEqual({ username: 'bob', address: `bob@${server.authority}`, password: text })
    expect(await login('bob', bob.password)).toBe(207)

    const users = await jsonHere('user', 'list')
    expect(users).toMatchObject([{ username: 'alice' }, { username: 'bob', disabledAt: null }])

    expect(await json('user', 'disable', 'bob')).toMatchObject({ disabledAt: instant })
    expect(await login('bob', bob.password)).toBe(401)
    expect(await jsonHere('user', 'enable', 'bob')).toMatchObject({ disabledAt: null })
    expect(await login('bob', bob.password)).toBe(207)

    const made = (await json('user', 'app-password', 'bob', '--label', 'phone')) as {
      password: string
    }
    expect(made).toEqual({ username: 'bob', label: 'phone', password: text })
    expect(await login('bob', made.password)).toBe(207)

    const home = join(server.dir, 'data', 'files', 'bob')
    expect((await stat(home)).isDirectory()).toBe(true)
    expect(await jsonHere('user', 'remove', 'bob', '--delete-files')).toMatchObject({
      username: 'bob',
    })
    await expect(stat(home)).rejects.toThrow('ENOENT')
    expect(await login('bob', bob.password)).toBe(401)
  })

  it('takes a chosen password from standard input, and a home of one’s own', async () => {
    const home = join(server.dir, 'carols')
    const args = ['user', 'add', 'carol', '--password-stdin', '--home', home]
    const added = await davmesh(args, 'a chosen password\n')
    expect(added.code).toBe(0)
    expect(added.out).not.toContain('a chosen password')
    expect(await login('carol', 'a chosen password')).toBe(207)
    const dav = davClient(`${server.url}/dav/files/carol/`, basic('carol', 'a chosen password'))
    expect((await dav.put('x.txt', 'x')).status).toBe(201)
    expect((await stat(join(home, 'x.txt'))).size).toBe(1)
  })

  it.each([
    ['a second alice', ['user', 'add', 'alice'], 'There already is a user'],
    ['another spelling of alice', ['user', 'add', 'ALICE'], 'There already is a user'],
    ['no name at all', ['user', 'add', 'a b'], 'is no user name'],
    ['nobody', ['user', 'disable', 'nobody'], 'davmesh user list'],
    ['a home around the keys', ['user', 'add', 'dora', '--home', 'DIR'], 'choose another folder'],
  ])('refuses %s with status 1 and the next step', async (_name, args, said) => {
    const result = await here(args.map((arg) => arg.replace('DIR', server.dir)))
    expect([result.code, result.out]).toEqual([1, ''])
    expect(result.err).toMatch(/^error: /)
    expect(result.err).toContain(said)
    expect(result.err).not.toMatch(/\bat .*:\d+:\d+/)
  })
})

describe('davmesh key', () => {
  it('generates, activates and retires, and the server follows', async () => {
    const first = `${server.url}/ocm#key-1`
    expect(await jsonHere('key', 'list')).toMatchObject([
      { kid: first, alg: 'Ed25519', state: 'active' },
    ])
    const { kid } = (await json('key', 'generate', '--alg', 'ES256')) as { kid: string }
    expect(kid).toBe(`${server.url}/ocm#key-2`)
    const active = await here(['key', 'retire', first])
    expect([active.code, active.err]).toEqual([1, expect.stringContaining('is active')])
    expect(await json('key', 'activate', kid)).toMatchObject({ kid, state: 'active' })
    const { keys } = await server.services().keys.jwks()
    expect(keys.map((key) => key['kid'])).toEqual([first, kid])
    expect(await jsonHere('key', 'retire', first)).toMatchObject({
      state: 'retired',
      retiredAt: instant,
    })
    expect((await here(['key', 'activate', first])).code).toBe(1)
    expect((await here(['key', 'list'])).out).toMatch(/^KID +ALG +STATE/)
  })
})

describe('davmesh share, token and peer', () => {
  it('walk the whole life of a share', async () => {
    const address = `bob@${peer.host}`
    const share = (await json(
      'share',
      'create',
      'alice',
      '/Holiday',
      address,
      '--permissions',
      'read,write',
      '--expires',
      '2099-12-31',
      '--name',
      'Sun',
      '--strict',
    )) as { id: string }
    expect(share).toMatchObject({
      id: text,
      owner: 'alice',
      path: '/Holiday',
      name: 'Sun',
      recipient: address,
      permissions: ['read', 'write'],
      strict: true,
      state: 'sent',
      expiresAt: '2099-12-31T00:00:00.000Z',
    })
    const received = peer.shares.at(-1)
    expect(received?.sender).toMatchObject({ ok: true })
    expect(received?.body).toMatchObject({ name: 'Sun', expiration: Date.UTC(2099, 11, 31) / 1000 })
    const secret = received?.body.protocol.webdav.sharedSecret ?? ''
    const jwt = await peer.exchange(server, secret)

    const [token] = (await jsonHere('token', 'list', '--share', share.id)) as { jti: string }[]
    expect(token).toEqual({
      jti: text,
      shareId: share.id,
      clientId: share.id,
      issuedAt: instant,
      expiresAt: instant,
      revokedAt: null,
    })
    expect(await jsonHere('token', 'inspect', jwt)).toMatchObject({
      header: { typ: 'at+jwt' },
      claims: { jti: token?.jti, client_id: share.id },
      active: true,
    })
    expect(await json('token', 'revoke', token?.jti ?? '')).toMatchObject({ revokedAt: instant })
    expect(await jsonHere('token', 'inspect', jwt)).toMatchObject({ active: false, reason: text })

    expect(await jsonHere('share', 'show', share.id)).toMatchObject({ id: share.id, state: 'sent' })
    expect(await json('share', 'revoke', share.id)).toMatchObject({ state: 'revoked' })
    expect(await jsonHere('share', 'list', '--user', 'alice')).toMatchObject([{ id: share.id }])
    expect((await here(['share', 'list'])).out).toMatch(/^ID +OWNER +PATH/)

    expect(await jsonHere('peer', 'show', peer.host)).toEqual({
      host: peer.host,
      trust: 'open',
      discovery: expect.objectContaining({ enabled: true }),
      profile: { payloadShape: 'multi' },
      keys: [{ kid: peer.key.keyId, alg: 'Ed25519' }],
      breaker: null,
      lastOkAt: instant,
      lastError: null,
    })
    expect(await json('peer', 'discover', peer.host)).toMatchObject({ host: peer.host })
  })

  it('exits 1 for a share that was not delivered, which can be sent again', async () => {
    peer.replyToShares({ status: 403, body: { message: 'SENDER_NOT_TRUSTED' } })
    const address = `bob@${peer.host}`
    const failed = await davmesh(['share', 'create', 'alice', '/Holiday', address, '--json'])
    const share = failed.json() as { id: string }
    expect(failed.code).toBe(1)
    expect(share).toMatchObject({
      state: 'failed',
      problem: expect.stringContaining('NOT_TRUSTED'),
    })
    expect(await json('share', 'send', share.id)).toMatchObject({ state: 'sent', problem: null })
  })

  it.each<[string, string[], number]>([
    ['a path that is not there', ['share', 'create', 'alice', '/Nowhere', 'PEER'], 1],
    ['a path upwards', ['share', 'create', 'alice', '/../bob', 'PEER'], 1],
    ['an address without host', ['share', 'create', 'alice', '/Holiday', 'bob'], 1],
    ['an address on this very server', ['share', 'create', 'alice', '/Holiday', 'SELF'], 1],
    [
      'an unknown permission',
      ['share', 'create', 'alice', '/Holiday', 'PEER', '--permissions', 'all'],
      1,
    ],
    [
      'a date of the past',
      ['share', 'create', 'alice', '/Holiday', 'PEER', '--expires', '2020-01-01'],
      1,
    ],
    ['what is no date', ['share', 'create', 'alice', '/Holiday', 'PEER', '--expires', 'soon'], 2],
    [
      'strict and legacy together',
      ['share', 'create', 'alice', '/Holiday', 'PEER', '--strict', '--legacy'],
      2,
    ],
    ['an unknown share', ['share', 'revoke', 'shr-AAAAAAAAAAAAAAAAAAAAAA'], 1],
    ['an unknown token', ['token', 'revoke', 'AAAA'], 1],
    ['what is no JWT', ['token', 'inspect', 'AAAA'], 1],
    ['a peer nobody knows', ['peer', 'show', 'unknown.example.org'], 1],
    ['a host with a path', ['peer', 'discover', 'x.example.org/y'], 1],
  ])('refuse %s', async (_name, args, code) => {
    const filled = args.map((arg) =>
      arg.replace('PEER', `bob@${peer.host}`).replace('SELF', `x@${server.authority}`),
    )
    const before = peer.shares.length
    const result = await here(filled)
    expect([result.code, result.out]).toEqual([code, ''])
    expect(result.err).toMatch(/^error: /)
    expect(peer.shares).toHaveLength(before)
  })
})

describe('davmesh db', () => {
  it('migrates and checks', async () => {
    expect(await json('db', 'migrate')).toEqual({ path: text, applied: [] })
    expect(await jsonHere('db', 'check')).toEqual([])
  })
})

describe('the commands that only look', () => {
  it('print one JSON value each, as processes side by side', async () => {
    const [share] = await server.services().shares.listShares()
    const commands = [
      ['user', 'list'],
      ['key', 'list'],
      ['share', 'list'],
      ['share', 'show', share?.id ?? ''],
      ['token', 'list'],
      ['peer', 'show', peer.host],
      ['db', 'check'],
    ]
    const values = await Promise.all(commands.map((command) => json(...command)))
    expect(values.map((value) => typeof value)).toEqual(Array(commands.length).fill('object'))
  })
})
