import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import { mountStage, type MountStage } from '../../support/mount-stage.ts'
import { listOfMany, whenListed } from '../../support/peer/dav-misdeeds.ts'

// Up to 64 MiB of a bad listing are read, which takes a busy machine a minute.
jest.setTimeout(240_000)

let stage: MountStage

// Sender, server and client share this process, so that nobody's clock may run out.
beforeAll(async () => {
  stage = await mountStage({ config: { outbound: { timeoutMs: 60_000 } } })
})

afterAll(() => stage.close())

it('of a million members ends one way or the other, and the server goes on (H9)', async () => {
  const bad = await stage.mount()
  const good = await stage.mount()
  const before = process.memoryUsage().rss
  bad.sender.misbehave(whenListed(listOfMany(1_000_000)))
  const listing = stage.files.propfind(`${bad.path}/`, '1').then(
    ({ status }) => status,
    () => 'broken off',
  )
  // Nobody else waits for that.
  for (let count = 0; count < 20; count += 1) {
    expect((await stage.files.get('own.txt')).text).toBe('my own')
    expect((await stage.files.get(`${good.path}/beach.txt`)).text).toBe('sun and sand')
    expect((await stage.files.propfind('Shared/', '1')).status).toBe(207)
  }
  expect([502, 503, 'broken off']).toContain(await listing)
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(512)
})
