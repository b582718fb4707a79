import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import { liveMib } from '../../support/live-memory.ts'
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
  await stage.files.propfind('Shared/', '1')
  const before = liveMib()
  let most = 0
  let answer: number | string | undefined
  bad.sender.misbehave(whenListed(listOfMany(1_000_000)))
  const listing = stage.files.propfind(`${bad.path}/`, '1').then(
    ({ status }) => (answer = status),
    () => (answer = 'broken off'),
  )
  // Nobody else waits for that.
  for (let count = 0; count < 20 || answer === undefined; count += 1) {
    expect((await stage.files.get('own.txt')).text).toBe('my own')
    expect((await stage.files.get(`${good.path}/beach.txt`)).text).toBe('sun and sand')
    expect((await stage.files.propfind('Shared/', '1')).status).toBe(207)
    most = Math.max(most, liveMib() - before)
    await sleep(100)
  }
  await listing
  expect([502, 503, 'broken off']).toContain(answer)
  expect(most).toBeLessThan(64)
})
