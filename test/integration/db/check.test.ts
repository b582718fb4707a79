import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { takeServeLock } from '../../../src/db/index.ts'
import { basic, davClient } from '../../support/dav-client.ts'
import { runCliHere } from '../../support/cli-in-process.ts'
import { tokenStage, type TokenStage } from '../../support/token-stage.ts'

/** Many servers, on a machine that may be busy. */
jest.setTimeout(30_000)

let stage: TokenStage
let home: string

beforeEach(async () => {
  stage = await tokenStage()
  const password = await stage.server.addUser('bob')
  home = (await stage.server.services().users.getUser('bob')).home
  writeFileSync(join(home, 'x.txt'), 'x')
  const dav = davClient(`${stage.server.url}/dav/files/bob/`, basic('bob', password))
  const lock =
    '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
    '<D:locktype><D:write/></D:locktype></D:lockinfo>'
  const headers = { 'content-type': 'text/xml' }
  const update =
    '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x:a xmlns:x="urn:x">1</x:a></D:prop></D:set></D:propertyupdate>'
  expect((await dav.proppatch('x.txt', update)).status).toBe(207)
  expect((await dav.call('LOCK', 'x.txt', { headers, body: lock })).status).toBe(200)
})

afterEach(() => stage.close())

const check = () => stage.server.services().check()
const sql = (text: string) => stage.server.services().db.raw.writer.exec(text)
const alices = async () => (await stage.server.services().users.getUser('alice')).home

describe('davmesh db check', () => {
  it('prints [] for sound data, and exits with 0; else what is wrong, and 1', async () => {
    const args = ['--config', stage.server.configFile, 'db', 'check']
    const sound = await runCliHere([...args, '--json'], stage.server.dir)
    // The commands run by the wall clock, for which the lock of this server has ended.
    expect([sound.code, JSON.parse(sound.out)]).toEqual([0, []])
    rmSync(join(home, 'x.txt'))
    const wrong = await runCliHere([...args, '--json'], stage.server.dir)
    expect([wrong.code, JSON.parse(wrong.out)]).toEqual([
      1,
      [{ kind: 'orphan_property', detail: '/x.txt of bob is not there' }],
    ])
    expect((await runCliHere(args, stage.server.dir)).out).toMatch(/^KIND +DETAIL/)
  })

  it.each<[string, string[], () => unknown]>([
    ['a file', ['orphan_lock', 'orphan_property'], () => rmSync(join(home, 'x.txt'))],
    ['a home', ['orphan_home'], () => renameSync(home, `${home}.away`)],
    [
      'what is shared',
      ['orphan_share', 'orphan_share'],
      async () => rmSync(join(await alices(), 'Holiday'), { recursive: true }),
    ],
    [
      'a refresh token',
      ['orphan_token', 'orphan_token', 'orphan_share', 'orphan_share'],
      () => sql('UPDATE refresh_tokens SET revoked_at = 1'),
    ],
    ['the key that signs', ['keys'], () => sql("UPDATE signing_keys SET state = 'retired'")],
    [
      'a byte of a sealed value',
      ['unsealable'],
      () => sql('UPDATE signing_keys SET sealed_private_jwk = zeroblob(60)'),
    ],
    [
      'the rest of a change',
      ['interrupted_change'],
      () =>
        sql(
          "INSERT INTO resource_changes (id, tree_id, kind, source, target, shallow, created_at) SELECT 'c', id, 'remove', '/x/', '/x/', 0, 1 FROM users LIMIT 1",
        ),
    ],
    [
      'what an upload left',
      ['temporary'],
      () => writeFileSync(join(home, '.davmesh-put-left'), 'half'),
    ],
    ['what was set aside', ['set_aside'], () => mkdirSync(join(home, '.davmesh-swap-left'))],
    [
      'a message about a share that is gone',
      ['orphan_message'],
      () =>
        sql(
          "INSERT INTO outbox (id, kind, peer, subject, label, sealed_payload, state, next_attempt_at, created_at) SELECT 'o', 'share', 'p', 'gone', 'share', '', 'refused', 1, 1",
        ),
    ],
  ])('misses %s', async (_name, kinds, spoil) => {
    expect(await check()).toEqual([])
    await spoil()
    const found = (await check()).filter(({ detail }) => !detail.startsWith('outbox.payload'))
    expect(found.map(({ kind }) => kind).sort()).toEqual([...kinds].sort())
  })

  it('beside a running server leaves to it what it may be at', async () => {
    const path = join(home, '.davmesh-put-running')
    const lock = takeServeLock(join(stage.server.dir, 'data'))
    try {
      writeFileSync(path, 'half')
      sql(
        `INSERT INTO resource_changes (id, tree_id, kind, source, target, shallow, created_at) SELECT 'c', id, 'copy', '/x/', '/y/', 0, ${stage.server.clock.now()} FROM users LIMIT 1`,
      )
      expect(await check()).toEqual([])
      const hours = (count: number) => stage.server.clock.now() / 1000 - count * 3600
      utimesSync(path, hours(2), hours(2))
      expect(await check()).toMatchObject([{ kind: 'temporary' }])
    } finally {
      lock.release()
    }
    expect((await check()).map(({ kind }) => kind).sort()).toEqual([
      'interrupted_change',
      'temporary',
    ])
  })
})
