import { expect, it, jest } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until, workersStage } from './stage.ts'

jest.setTimeout(60_000)

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))

it('signals during the start end nothing, and a stop is honoured right after it', async () => {
  await using stage = await workersStage(2)
  const child = spawn(process.execPath, [main, 'serve', '--config', stage.configFile])
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const closed = once(child, 'close')
  // Made just before the workers are started, who take far longer than a look at it.
  await until(() => existsSync(join(stage.dataDir, 'workers.generation')), 'the start')
  expect(out).toBe('')
  for (const signal of ['SIGHUP', 'SIGUSR2', 'SIGTERM'] as const) child.kill(signal)
  expect(await closed).toEqual([0, null])
  expect(err).toContain('stopping; a second signal ends at once')
  expect(out).toContain('listening on')
})
