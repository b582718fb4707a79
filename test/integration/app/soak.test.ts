import { expect, it, jest } from '@jest/globals'
import { tableOf, unexpectedOf } from '../../soak/report.ts'
import { runSoak } from '../../soak/run.ts'

jest.setTimeout(120_000)

it('R20: twenty seconds of everything at once, with nothing that nobody expected', async () => {
  const seed = Date.now() % 1e9
  const result = await runSoak({ seconds: 20, perSecond: 50, seed, tell: () => undefined })
  console.info(`R20: seed ${seed}\n${tableOf(result)}`)
  expect(unexpectedOf(result)).toEqual([])
  for (const samples of Object.values(result.servers)) {
    expect(samples.length).toBeGreaterThan(5)
    // Whatever a machine does, a leak for each request would be more.
    expect(Math.max(...samples.map(({ fds }) => fds))).toBeLessThan(250)
    expect(Math.max(...samples.map(({ walMib }) => walMib))).toBeLessThan(64)
  }
})
