import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { runCliHere } from '../../support/cli-in-process.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { independentPeer } from '../../support/peer/independent-peer.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

let ours: TestServer
let theirs: TestServer
const text = expect.any(String)
const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

beforeAll(async () => {
  // The commands run by the wall clock, so the servers beside them do too.
  const clock = fakeClock(Math.floor(Date.now() / 1000) * 1000)
  ours = await startServer({ clock })
  theirs = await startServer({ clock })
  await ours.addUser('alice')
  await theirs.addUser('bob')
})

afterAll(async () => {
  await Promise.all([ours.close(), theirs.close()])
})

const davmesh = (server: TestServer, ...args: string[]) =>
  runCliHere(['--config', server.configFile, ...args], server.dir)

async function json(server: TestServer, ...args: string[]): Promise<unknown> {
  const { code, out, err } = await davmesh(server, ...args, '--json')
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out)
}

describe('davmesh invite and contact, beside two running servers', () => {
  it('make, use, show and end', async () => {
    const made = (await json(ours, 'invite', 'create', 'alice')) as { id: string; invite: string }
    expect(made).toEqual({ id: text, invite: text, expiresAt: instant })
    const contact = await json(theirs, 'invite', 'accept', 'bob', made.invite)
    const alice = `alice@${ours.authority}`
    const accepted = { address: alice, name: 'alice', source: 'accepted', addedAt: instant }
    expect(contact).toEqual(accepted)
    expect(await json(theirs, 'contact', 'list', 'bob')).toEqual([accepted])
    const bob = `bob@${theirs.authority}`
    expect(await json(ours, 'contact', 'list', 'alice')).toEqual([
      { address: bob, name: 'bob', source: 'invited', addedAt: instant },
    ])
    expect(await json(ours, 'invite', 'list', '--user', 'alice')).toEqual([
      {
        id: made.id,
        user: 'alice',
        state: 'accepted',
        createdAt: instant,
        expiresAt: instant,
        acceptedBy: bob,
        acceptedAt: instant,
      },
    ])
    expect(await json(ours, 'contact', 'remove', 'alice', bob)).toEqual({ address: bob })
    expect((await davmesh(ours, 'contact', 'list', 'alice')).out).toContain('has no contacts')
    const again = await davmesh(ours, 'contact', 'remove', 'alice', bob)
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('[contact_not_found]')])
  })

  it('revoke an invite that nobody used', async () => {
    const made = (await json(ours, 'invite', 'create', 'alice')) as { id: string; invite: string }
    expect(await json(ours, 'invite', 'revoke', made.id)).toMatchObject({ state: 'revoked' })
    const late = await davmesh(theirs, 'invite', 'accept', 'bob', made.invite)
    expect([late.code, late.err]).toEqual([1, expect.stringContaining('[invite_refused]')])
    expect((await davmesh(ours, 'invite', 'list')).out).toContain('revoked')
  })

  it.each([
    ['invite', 'create', 'nobody', 'user_not_found'],
    ['invite', 'list', '--user=nobody', 'user_not_found'],
    ['invite', 'revoke', 'inv-x', 'invite_not_found'],
    ['contact', 'list', 'nobody', 'user_not_found'],
  ])('%s %s %s fails with %s', async (group, verb, argument, code) => {
    const answer = await davmesh(ours, group, verb, argument)
    expect([answer.code, answer.err]).toEqual([1, expect.stringContaining(`[${code}]`)])
  })

  it('says what an invite looks like', async () => {
    const answer = await davmesh(ours, 'invite', 'accept', 'alice', 'hello')
    expect([answer.code, answer.err]).toEqual([1, expect.stringContaining('[bad_invite]')])
  })
})

describe('davmesh peer show', () => {
  it('lets no other server steer the terminal, or turn the direction of writing', async () => {
    const provider = 'Good\u009b2J\u202elive\u0007'
    const discovery = { provider, criteria: ['x\u2066\u0085'] }
    await using peer = await independentPeer({ discovery })
    const { code, out } = await davmesh(ours, 'peer', 'discover', peer.host)
    const shown = await davmesh(ours, 'peer', 'show', peer.host)
    expect([code, shown.code]).toEqual([0, 0])
    expect(shown.out).toContain('Good2Jlive')
    const deceptive = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
    expect(out + shown.out).not.toMatch(deceptive)
  })
})

describe('davmesh peer allow, deny, list and forget', () => {
  it('steer whom the running server talks to', async () => {
    const { peers } = ours.services()
    const denied = await json(ours, 'peer', 'deny', 'https://Evil.example/')
    expect(denied).toMatchObject({ host: 'evil.example', trust: 'denied' })
    expect(await peers.isDenied('evil.example')).toBe(true)
    expect(await json(ours, 'peer', 'list')).toContainEqual({
      host: 'evil.example',
      trust: 'denied',
      lastOkAt: null,
      lastError: null,
    })
    expect(await json(ours, 'peer', 'allow', 'evil.example')).toMatchObject({ trust: 'allowed' })
    expect(await peers.isDenied('evil.example')).toBe(false)
    expect(await json(ours, 'peer', 'forget', 'evil.example')).toEqual({ host: 'evil.example' })
    const gone = await davmesh(ours, 'peer', 'show', 'evil.example')
    expect([gone.code, gone.err]).toEqual([1, expect.stringContaining('[bad_host]')])
  })
})
