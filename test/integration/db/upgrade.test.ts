import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { basic, bearer, davClient } from '../../support/dav-client.ts'
import { runCli, serveProcess } from '../../support/run-cli.ts'
import { tokenStage, type TokenStage } from '../../support/token-stage.ts'
import { makeOld, migrations, rowsOf, schemaOf, soundness, type Rows } from './old-database.ts'

/** Each case runs the built program as often as a migration has statements. */
jest.setTimeout(120_000)

let stage: TokenStage
let password: string
let accessToken: string

beforeEach(async () => {
  stage = await tokenStage()
  const { server, peer, share } = stage
  password = await server.addUser('bob')
  await server.addFile('bob', 'mine.txt', "bob's")
  accessToken = await peer.exchange(server, share.secret)
  await davClient(`${server.url}/dav/files/bob/`, basic('bob', 'wrong')).get()
})

afterEach(() => stage.close())

/** One row for every schema that anybody may have, but the newest. */
const olds = migrations.slice(0, -1).map(({ name }, index) => ({
  name,
  count: index + 1,
  pending: migrations.slice(index + 1),
}))

const databaseOf = ({ server }: TokenStage): string => join(server.dir, 'data', 'davmesh.sqlite')

const withoutMigrations = ({ migrations: _, ...rows }: Rows): Rows => rows

/** A table may get columns; what was in the old ones stays. */
const expectKept = (before: Rows, after: Rows): void => {
  for (const [table, rows] of Object.entries(withoutMigrations(before))) {
    expect([table, after[table]?.length]).toEqual([table, rows.length])
    expect(after[table]).toMatchObject(rows)
  }
}

describe.each(olds)('R15: a database of $name', ({ count, pending }) => {
  const copyOf = (path: string): string => `${path}.before-${pending[0]?.name ?? ''}`

  it('is upgraded when it is opened: rows are kept, and tokens still open their shares', async () => {
    const { server, peer, share } = stage
    const path = databaseOf(stage)
    const newest = schemaOf(path)
    let before: Rows = {}
    await server.restart((database) => {
      makeOld(database, count)
      before = rowsOf(database)
    })
    expect(Object.values(withoutMigrations(before)).flat().length).toBeGreaterThan(10)
    expect(soundness(path)).toEqual(['ok', []])
    expect(schemaOf(path)).toEqual(newest)
    expectKept(before, rowsOf(path))
    const dav = davClient(`${server.url}/dav/ocm/`, bearer(accessToken))
    expect((await dav.get('beach.txt')).text).toBe('sun and sand')
    await peer.exchange(server, share.secret)
    const home = davClient(`${server.url}/dav/files/bob/`, basic('bob', password))
    expect((await home.get('mine.txt')).text).toBe("bob's")
    expect((await home.put('new.txt', 'new')).status).toBe(201)
  })

  it('is copied before: whole, sound, for our eyes alone, and not again', async () => {
    const { server } = stage
    const path = databaseOf(stage)
    let before: Rows = {}
    let schema: unknown[] = []
    await server.restart((database) => {
      makeOld(database, count)
      before = rowsOf(database)
      schema = schemaOf(database)
    })
    const copy = copyOf(path)
    expect(statSync(copy).mode & 0o777).toBe(0o600)
    expect(soundness(copy)).toEqual(['ok', []])
    expect(schemaOf(copy)).toEqual(schema)
    expect(rowsOf(copy)).toEqual(before)
    const { mtimeMs } = statSync(copy)
    await server.restart()
    expect(statSync(copy).mtimeMs).toBe(mtimeMs)
    // It can stand in for the new one, which is what it is for.
    await server.restart((database) => copyFileSync(copy, database))
    expectKept(before, rowsOf(path))
  })

  it('R4: is as it was whenever its upgrade is killed, and is upgraded after that', async () => {
    const { server } = stage
    const newest = schemaOf(databaseOf(stage))
    const cwd = join(server.dir, 'killed')
    const path = join(cwd, 'davmesh.sqlite')
    const original = join(server.dir, 'original.sqlite')
    await server.restart((database) => {
      makeOld(database, count)
      copyFileSync(database, original)
    })
    const before = rowsOf(original)
    mkdirSync(cwd)
    copyFileSync(join(server.dir, 'data', 'secret.key'), join(cwd, 'secret.key'))
    const flags = ['--config', server.configFile, '--data-dir', cwd, '--listen', '127.0.0.1:0']
    // The statements of later migrations are killed in the databases they come to first.
    const points =
      pending[0]?.statements.map((_, index) => `migration.statement@${index + 1}`) ?? []
    for (const point of ['migration.copied', ...points]) {
      for (const name of readdirSync(cwd)) if (name !== 'secret.key') rmSync(join(cwd, name))
      copyFileSync(original, path)
      const environment = { FAULT: `${point}:kill` }
      await expect(serveProcess(flags, { cwd, environment })).rejects.toThrow('serve ended')
      expect(soundness(path)).toEqual(['ok', []])
      expectKept(before, rowsOf(path))
      expect([point, existsSync(copyOf(path))]).toEqual([point, point !== 'migration.copied'])
      if (existsSync(copyOf(path))) expect(rowsOf(copyOf(path))).toEqual(before)
    }
    expect((await runCli(['db', 'migrate', ...flags.slice(0, 4)], { cwd })).code).toBe(0)
    expect(schemaOf(path)).toEqual(newest)
    expectKept(before, rowsOf(path))
    expect(rowsOf(copyOf(path))).toEqual(before)
    expect(readdirSync(cwd).filter((name) => name.endsWith('.partial'))).toEqual([])
  })
})
