import { expect, it, jest } from '@jest/globals'
import { childrenOf, until, workersStage } from './stage.ts'

jest.setTimeout(60_000)

const port = 30_000 + (process.pid % 10_000)

it('/metrics: counters never fall, whichever way a worker ends', async () => {
  const admin = { listen: { host: '127.0.0.1', port } }
  await using stage = await workersStage(2, { admin })
  await stage.start()
  const count = async (): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
    expect(answer.status).toBe(200)
    const lines = (await answer.text()).matchAll(/^davmesh_http_requests_total\{.*\} (\d+)$/gm)
    return [...lines].reduce((sum, [, value]) => sum + Number(value), 0)
  }
  for (let i = 0; i < 10; i += 1) await stage.dav().get('nothing.txt')
  const before = await count()
  expect(before).toBeGreaterThanOrEqual(10)

  const { pid, err } = stage.process()
  const [victim = 0] = childrenOf(pid)
  process.kill(victim, 'SIGKILL')
  // Also while there is one that only starts.
  let rounds = 0
  await until(async () => {
    rounds += 1
    expect(await count()).toBeGreaterThanOrEqual(before)
    return err().includes('a worker was replaced')
  }, 'a new worker')
  expect(rounds).toBeGreaterThan(0)

  for (let i = 0; i < 10; i += 1) await stage.dav().get('nothing.txt')
  process.kill(pid, 'SIGUSR2')
  await until(() => err().includes('all workers were replaced'), 'new workers')
  await until(() => childrenOf(pid).length === 2, 'the end of the old ones')
  expect(await count()).toBeGreaterThanOrEqual(before + 10)
})
