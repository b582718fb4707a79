import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import type { CrashStage } from '../crash/stage.ts'
import { childrenOf, until, workersStage } from './stage.ts'

jest.setTimeout(60_000)

function changeConfig(file: string, changes: Record<string, unknown>): void {
  const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  writeFileSync(file, JSON.stringify({ ...config, ...changes }))
}

let stage: CrashStage

beforeAll(async () => {
  stage = await workersStage()
  await stage.start()
})

afterAll(async () => {
  await stage[Symbol.asyncDispose]()
})

it('SIGHUP: every worker takes over what may change while it runs', async () => {
  const { pid, err } = stage.process()
  changeConfig(stage.configFile, {
    federation: { requireInvite: true },
    log: { level: 'debug', format: 'json' },
  })
  process.kill(pid, 'SIGHUP')
  // The primary takes it over as well.
  for (const event of ['federation.reloaded', 'log.level-changed']) {
    for (const worker of childrenOf(pid)) {
      const tells = (line: string) =>
        line.includes(`"worker":${worker},`) && line.includes(`"event":"${event}"`)
      await until(() => err().split('\n').some(tells), `${event} in worker ${worker}`)
    }
  }
})

it('SIGUSR2 with a configuration that cannot be used: the old workers go on', async () => {
  const { pid, err } = stage.process()
  const before = childrenOf(pid)
  changeConfig(stage.configFile, { webdav: { maxUploadBytes: 'many' } })
  process.kill(pid, 'SIGUSR2')
  await until(() => err().includes('the workers stay'), 'a refusal')
  expect(childrenOf(pid)).toEqual(before)
  expect((await stage.dav().put('small.txt', 'small')).status).toBe(201)
})

it('SIGUSR2: every worker is replaced, no connection is refused, and the new configuration holds', async () => {
  const { pid, err } = stage.process()
  const before = childrenOf(pid)
  changeConfig(stage.configFile, { webdav: { maxUploadBytes: 3 } })
  let isOver = false
  const statuses: number[] = []
  /** A connection for each request: every one is accepted by whoever listens now. */
  async function keepAsking(): Promise<void> {
    while (!isOver) {
      const agent = new Agent({ keepAlive: false })
      statuses.push((await stage.dav(undefined, agent).get('small.txt')).status)
    }
  }
  const clients = [keepAsking(), keepAsking(), keepAsking()]
  process.kill(pid, 'SIGUSR2')
  await until(() => err().includes('all workers were replaced'), 'new workers')
  await until(() => childrenOf(pid).length === 2, 'the end of the old ones')
  isOver = true
  await Promise.all(clients)
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(childrenOf(pid).filter((one) => before.includes(one))).toEqual([])
  const agent = new Agent({ keepAlive: false })
  expect((await stage.dav(undefined, agent).put('small.txt', 'larger')).status).toBe(413)
})
