import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { runCliHere } from '../../support/cli-in-process.ts'
import { basic, davClient } from '../../support/dav-client.ts'
import { federation, type Federation, type Member } from '../../support/federation.ts'

let network: Federation
let alices: Member
let bobs: Member
let files: ReturnType<typeof davClient>
let id: string

const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

beforeAll(async () => {
  network = await federation(2, { outbound: { timeoutMs: 2000 } })
  ;[alices, bobs] = network.members as [Member, Member]
  // The commands run by the wall clock, so the servers beside them do too.
  network.clock.advance(`${Date.now() - network.clock.now()}ms`)
  const password = await bobs.addUser('bert')
  files = davClient(`${bobs.url}/dav/files/bert/`, basic('bert', password))
  const recipient = `bert@${bobs.authority}`
  const { shares } = alices.services()
  const share = await shares.createShare({ owner: 'alice', path: '/Holiday', recipient })
  const [offer] = await bobs.services().incoming.findOffers(share.id)
  id = offer?.id ?? ''
})
afterAll(() => network.close())

const received = async (...args: string[]) => {
  const full = ['--config', bobs.configFile, 'received', ...args]
  const { code, out, err } = await runCliHere(full, bobs.dir)
  return { code, out, err }
}

const listed = async (): Promise<Record<string, unknown>> => {
  const { out } = await received('list', '--json')
  return (JSON.parse(out) as Record<string, unknown>[])[0] ?? {}
}

describe('davmesh received, beside a running server', () => {
  it('accept: the share is looked into at once', async () => {
    expect((await received('accept', id)).out).toBe(`Accepted ${id}: /Shared/Holiday.\n`)
    const { seen } = await bobs.services().incoming.get(id)
    expect(seen).toMatchObject({ kind: 'directory' })
    expect((await files.get('Shared/Holiday/beach.txt')).text).toBe('sun and sand')
    expect(await listed()).toMatchObject({ state: 'accepted', problem: null, problemSince: null })
  })

  it('list: says that a server is away after five failures, and since when', async () => {
    alices.proxy.always(() => 'reset')
    expect((await files.get('Shared/Holiday/beach.txt')).status).toBe(503)
    const since = new Date(network.clock.now()).toISOString()
    const first = expect.stringContaining('did not answer as it should')
    expect(await listed()).toMatchObject({ problem: first, problemSince: since })
    network.clock.advance('10s')
    for (let time = 1; time < 5; time += 1) {
      expect((await files.get('Shared/Holiday/beach.txt')).status).toBe(503)
    }
    const problem = expect.stringContaining(`${alices.authority} cannot be reached`)
    expect(await listed()).toMatchObject({ state: 'accepted', problem, problemSince: since })
    expect((await received('list')).out).toContain(`(since ${since})`)
  })

  it('retry: tries now, and says what came of it', async () => {
    const failed = await received('retry', id)
    expect([failed.code, failed.out]).toEqual([1, expect.stringContaining('cannot be reached')])
    alices.proxy.heal()
    const done = await received('retry', id)
    expect([done.code, done.out]).toEqual([0, `Tried ${id} again: it opens, at /Shared/Holiday.\n`])
    expect(await listed()).toMatchObject({ problem: null, problemSince: null })
    expect((await files.get('Shared/Holiday/beach.txt')).status).toBe(200)
  })

  it('list: says that the owner took it back without a word; retry may bring it back', async () => {
    const { raw } = alices.services().db
    const revoke = raw.writer.prepare(`UPDATE outgoing_shares SET revoked_at = ?`)
    revoke.run(1)
    expect((await files.get('Shared/Holiday/beach.txt')).status).toBe(403)
    const problem = expect.stringContaining('no longer accepts this share')
    const gone = { state: 'revoked', problem, problemSince: instant }
    expect(await listed()).toMatchObject(gone)
    expect((await received('retry', id)).code).toBe(1)
    expect(await listed()).toMatchObject(gone)
    revoke.run(null)
    expect((await received('retry', id)).code).toBe(0)
    expect((await files.get('Shared/Holiday/beach.txt')).status).toBe(200)
    expect(await listed()).toMatchObject({ state: 'accepted', problem: null })
  })

  it('remove --force: asks nobody', async () => {
    alices.proxy.heal()
    alices.proxy.always(() => 'drop')
    const removed = await received('remove', id, '--force')
    expect([removed.code, removed.out]).toEqual([0, `Removed ${id}.\n`])
    expect(alices.proxy.passages).toEqual([])
    expect((await files.propfind('Shared/')).status).toBe(404)
  })
})
