import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { takeServeLock } from '../../../src/db/index.ts'
import { runCliHere } from '../../support/cli-in-process.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { makeOld, migrations, rowsOf, schemaOf } from './old-database.ts'

let folder: Awaited<ReturnType<typeof tempDir>>
let dataDir: string
let path: string

const davmesh = (...args: string[]) =>
  runCliHere(['--config', join(folder.path, 'config.json'), ...args], folder.path)

beforeEach(async () => {
  folder = await tempDir()
  dataDir = join(folder.path, 'data')
  path = join(dataDir, 'davmesh.sqlite')
  const config = { publicUrl: 'http://127.0.0.1:9', dataDir, dev: true }
  writeFileSync(join(folder.path, 'config.json'), JSON.stringify(config))
  expect((await davmesh('user', 'add', 'alice')).code).toBe(0)
})

afterEach(async () => {
  await folder[Symbol.asyncDispose]()
})

describe('commands of a newer davmesh', () => {
  it('change no database that a server serves, and say so in a line', async () => {
    makeOld(path, migrations.length - 1)
    const before = { rows: rowsOf(path), schema: schemaOf(path) }
    const lock = takeServeLock(dataDir)
    const copy = join(folder.path, 'copy.sqlite')
    try {
      for (const args of [['user', 'list'], ['db', 'backup', copy], ['db', 'migrate'], ['serve']]) {
        const { code, out, err } = await davmesh(...args)
        expect([args, code, out]).toEqual([args, 1, ''])
        expect(err).toMatch(
          /^error: An older davmesh serves [^\n]+ Restart the server first\.[^\n]*\n$/,
        )
      }
    } finally {
      lock.release()
    }
    expect({ rows: rowsOf(path), schema: schemaOf(path) }).toEqual(before)
    expect(existsSync(copy)).toBe(false)
    expect((await davmesh('db', 'backup', copy)).code).toBe(0)
    expect(schemaOf(copy)).not.toEqual(before.schema)
  })

  it.each([true, false])(
    'check and change nothing, beside a server or not (%p)',
    async (served) => {
      makeOld(path, migrations.length - 1)
      const before = { rows: rowsOf(path), schema: schemaOf(path) }
      const lock = served ? takeServeLock(dataDir) : undefined
      const { code, out } = await davmesh('db', 'check', '--json')
      lock?.release()
      const pending = [{ kind: 'pending_migration', detail: migrations.at(-1)?.name }]
      expect([code, JSON.parse(out)]).toEqual([1, pending])
      expect({ rows: rowsOf(path), schema: schemaOf(path) }).toEqual(before)
    },
  )

  it('of the version that serves work beside it', async () => {
    const lock = takeServeLock(dataDir)
    expect((await davmesh('user', 'list')).code).toBe(0)
    lock.release()
  })
})
