import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { runCliHere } from '../../support/cli-in-process.ts'
import { reshareStage, type Given, type ReshareStage } from '../../support/reshare-stage.ts'

/** There are three servers, and commands beside them. */
jest.setTimeout(30_000)

let stage: ReshareStage
let given: Given
/** What may only be read. */
let kept: Given
const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

beforeAll(async () => {
  // The commands run by the wall clock, so the servers beside them do too.
  stage = await reshareStage({ now: Math.floor(Date.now() / 1000) * 1000 })
  await stage.bobs.addFile('bob', 'Shared/own.txt', 'not received')
  given = await stage.give()
  kept = await stage.give({ path: '/diary.txt', permissions: ['read'] })
})

afterAll(() => stage.close())

const davmesh = (...args: string[]) =>
  runCliHere(['--config', stage.bobs.configFile, ...args], stage.bobs.dir)

async function json(...args: string[]): Promise<unknown> {
  const { code, out, err } = await davmesh(...args, '--json')
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out)
}

const state = (share: unknown): unknown => (share as { state: unknown }).state

describe('davmesh share, of what was received', () => {
  it('create, list, show and revoke', async () => {
    const create = ['share', 'create', 'bob', '/Shared/Holiday', stage.carol] as const
    const made = (await json(...create)) as { id: string }
    const shown = {
      id: expect.stringMatching(/^rsh-[A-Za-z0-9]{22}$/),
      owner: `alice@${stage.alices.authority}`,
      path: '/Shared/Holiday',
      name: 'Holiday',
      resourceType: 'folder',
      recipient: stage.carol,
      permissions: ['read', 'share'],
      strict: false,
      state: 'granted',
      problem: null,
      resharedBy: stage.bob,
      createdAt: instant,
      sentAt: null,
      expiresAt: null,
      revokedAt: null,
    }
    expect(made).toEqual(shown)
    expect(await json(...create)).toEqual(made)
    expect(await json('share', 'show', made.id)).toEqual(made)
    const own = await json('share', 'create', 'bob', '/Shared/own.txt', stage.carol)
    expect(own).toMatchObject({ owner: 'bob', state: 'sent', resharedBy: null })
    const listed = (await json('share', 'list', '--user', 'bob')) as unknown[]
    expect(listed).toHaveLength(2)
    expect(listed).toEqual(expect.arrayContaining([made, own]))
    expect((await davmesh('share', 'list')).out).toContain(`${made.id}  alice@`)
    expect((await davmesh('share', 'show', made.id)).out).toMatch(/^resharedBy +bob@/m)

    const again = await davmesh('share', 'send', made.id)
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('[reshare_state]')])
    const ended = await json('share', 'revoke', made.id)
    expect(ended).toEqual({ ...made, state: 'undone', revokedAt: instant })
    expect(state(await json('share', 'revoke', made.id))).toBe('undone')
    expect((await davmesh('share', 'revoke', made.id)).out).toContain('is undone')
    expect((await davmesh(...create)).out).toMatch(/^Shared \/Shared\/Holiday with .+ as rsh-/)
  })

  it('exits 1 where the owner refuses it, and says why', async () => {
    const { federation } = stage.alices.services()
    const policy = federation.current()
    federation.replace({ ...policy, reshare: false })
    const dave = `dave@${stage.carols.authority}`
    const refused = await davmesh('share', 'create', 'bob', '/Shared/Holiday', dave)
    expect([refused.code, refused.err]).toEqual([1, ''])
    const [, id = ''] = /Share (rsh-\w+) was not delivered: .+ 403: .+\nTry/.exec(refused.out) ?? []
    expect(await json('share', 'show', id)).toMatchObject({
      state: 'refused',
      problem: expect.stringContaining('this share is not to be passed on'),
    })
    federation.replace(policy)
    expect(state(await json('share', 'send', id))).toBe('granted')
  })

  it.each<[string, string, string[], string, string]>([
    ['a part of it', '/Shared/Holiday/more', [], 'reshare_part', 'name that'],
    ['what may not be shared', '/Shared/diary.txt', [], 'reshare_forbidden', 'ask alice@'],
    ['nothing', '/Shared/Nothing', [], 'resource_not_found', 'nothing at "/Shared/Nothing"'],
    ['it under another name', '/Shared/Holiday', ['--name', 'Sun'], 'reshare_option', '--name'],
    [
      'it for a time',
      '/Shared/Holiday',
      ['--expires', '2099-01-01'],
      'reshare_option',
      '--expires',
    ],
    ['it strictly', '/Shared/Holiday', ['--strict'], 'reshare_option', '--strict'],
  ])('does not pass on %s', async (_what, path, options, code, fix) => {
    expect(kept.share.state).toBe('sent')
    const answer = await davmesh('share', 'create', 'bob', path, stage.carol, ...options)
    expect([answer.code, answer.out]).toEqual([1, ''])
    expect(answer.err).toContain(`[${code}]`)
    expect(answer.err).toContain(fix)
  })

  it.each<[string, () => string, string]>([
    ['oneself', () => stage.bob, 'is on this very server'],
    ['its owner', () => `alice@${stage.alices.authority}`, 'is the owner'],
    ['a neighbour of its owner', () => `eve@${stage.alices.authority}`, "the owner's own server"],
  ])('does not pass it on to %s', async (_who, to, message) => {
    const answer = await davmesh('share', 'create', 'bob', '/Shared/Holiday', to())
    expect([answer.code, answer.err]).toEqual([1, expect.stringContaining(message)])
    expect(answer.err).toContain('[reshare_bad_recipient]')
  })

  it('says what to do with what was not accepted, or has ended', async () => {
    const share = (path: string) => davmesh('share', 'create', 'bob', path, stage.carol)
    const { incoming } = await stage.give({ name: 'Later' }, false)
    const pending = await share('/Shared/Later')
    expect([pending.code, pending.err]).toEqual([
      1,
      expect.stringContaining(`davmesh received accept ${incoming.id}`),
    ])
    await json('received', 'decline', incoming.id)
    expect((await share('/Shared/Later')).err).toContain('was declined; ask alice@')
  })

  it.each(['show', 'send', 'revoke'])('%s knows no such one', async (verb) => {
    const answer = await davmesh('share', verb, 'rsh-AAAAAAAAAAAAAAAAAAAAAA')
    expect([answer.code, answer.err]).toEqual([1, expect.stringContaining('[reshare_not_found]')])
  })
})

it('who got it sees through whom it came', async () => {
  await stage.settle()
  const carols = ['--config', stage.carols.configFile, 'received', 'list']
  const { out } = await runCliHere(carols, stage.carols.dir)
  expect(out).toContain(`alice@${stage.alices.authority} (${stage.bob} via alice)`)
})

it('the owner sees who passed a share on', async () => {
  const { config, shares } = stage.alices.services()
  const { out } = await runCliHere(
    ['--config', config.source, 'share', 'list', '--json'],
    stage.alices.dir,
  )
  const passedOn = (JSON.parse(out) as { resharedBy: string | null }[]).filter(
    ({ resharedBy }) => resharedBy === stage.bob,
  )
  expect(passedOn.length).toBeGreaterThan(0)
  expect((await shares.getShare(given.share.id)).resharedBy).toBeNull()
})
