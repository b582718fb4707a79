import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '../../../src/db/index.ts'
import type { CrashStage } from '../crash/stage.ts'
import { childrenOf, until, workersStage } from './stage.ts'

jest.setTimeout(60_000)

let stage: CrashStage
let unchanged: string

beforeAll(async () => {
  stage = await workersStage()
  await stage.start()
  unchanged = readFileSync(stage.configFile, 'utf8')
})

afterAll(async () => {
  await stage[Symbol.asyncDispose]()
})

const timesReplaced = (): number =>
  stage.process().err().split('"msg":"a worker was replaced"').length - 1

function killOne(): void {
  const [victim = 0] = childrenOf(stage.process().pid)
  process.kill(victim, 'SIGKILL')
}

it('a dead worker is replaced with the configuration in force, whatever the file says by now', async () => {
  writeFileSync(stage.configFile, '{ "half": ')
  killOne()
  await until(() => timesReplaced() === 1, 'a new worker')
  writeFileSync(stage.configFile, unchanged)
})

it('SIGUSR2 with changes that need a restart: one line that names them, nothing is replaced', async () => {
  const { pid, err } = stage.process()
  const before = childrenOf(pid)
  const changes = { publicUrl: 'http://127.0.0.1:10', workers: 3 }
  writeFileSync(stage.configFile, JSON.stringify({ ...JSON.parse(unchanged), ...changes }))
  process.kill(pid, 'SIGUSR2')
  await until(() => err().includes('publicUrl, workers: this changes with a restart only'), 'a no')
  expect(childrenOf(pid)).toEqual(before)
  writeFileSync(stage.configFile, unchanged)
})

it('a worker of a newer version never migrates: it is tried again while the others serve', async () => {
  const { err } = stage.process()
  const db = openDatabase(join(stage.dataDir, 'davmesh.sqlite'))
  const { writer } = db.raw
  const last = writer.prepare('SELECT * FROM migrations ORDER BY name DESC LIMIT 1').get()
  const { name, hash, applied_at } = last as { name: string; hash: string; applied_at: number }
  writer.prepare('DELETE FROM migrations WHERE name = ?').run(name)
  killOne()
  const refusals = () => err().split(`A newer davmesh was installed (${name})`).length - 1
  // More than would end a server that has nobody else.
  await until(() => refusals() > 6, 'refusals', 40_000)
  expect((await stage.dav().put('meanwhile.txt', 'x')).status).toBe(201)
  expect(writer.prepare('SELECT 1 FROM migrations WHERE name = ?').get(name)).toBeUndefined()
  const add = 'INSERT INTO migrations (name, hash, applied_at) VALUES (?, ?, ?)'
  writer.prepare(add).run(name, hash, applied_at)
  db.close()
  await until(() => timesReplaced() === 2, 'a new worker', 40_000)
})
