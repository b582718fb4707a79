import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { join } from 'node:path'
import { createEventHub } from '../../../src/core/index.ts'
import {
  inTransaction,
  migrateDatabase,
  openDatabase,
  type Database,
} from '../../../src/db/index.ts'
import { breakerState, createBreaker } from '../../../src/peers/breaker.ts'
import { findPeer, upsertPeer } from '../../../src/peers/queries.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { tempDir, type TempDir } from '../../support/temp-dir.ts'

const host = 'peer.example'
let folder: TempDir
let db: Database
let clock: FakeClock
let calls: number
let breaker: ReturnType<typeof createBreaker>

beforeEach(async () => {
  folder = await tempDir()
  db = openDatabase(join(folder.path, 'davmesh.sqlite'))
  migrateDatabase(db, 1)
  clock = fakeClock()
  calls = 0
  breaker = createBreaker({ db, clock, events: createEventHub() })
  await inTransaction(db, (tx) => upsertPeer(tx, host, { lastError: null }))
})

afterEach(async () => {
  db.close()
  await folder[Symbol.asyncDispose]()
})

const call = (status: number): Promise<number> => {
  const work = () => {
    calls += 1
    return Promise.resolve(status)
  }
  return breaker.call(host, work, (answer) => answer < 500)
}

const failTimes = async (times: number): Promise<void> => {
  for (let time = 0; time < times; time += 1) await call(500)
}

const state = async () => {
  const row = await findPeer(db, host)
  return row && breakerState(row, clock.now())
}

describe('a peer that fails', () => {
  it('is left alone after five failures in a row, and told how long', async () => {
    await failTimes(4)
    expect(await state()).toMatchObject({ state: 'closed', failures: 4 })
    await failTimes(1)
    expect(await state()).toMatchObject({ state: 'open', failures: 5 })
    await expect(call(200)).rejects.toMatchObject({ code: 'peer_resting', retryAfterSeconds: 30 })
    expect(calls).toBe(5)
  })

  it('fails too when it does not answer at all', async () => {
    for (let time = 0; time < 5; time += 1) {
      const lost = breaker.call(
        host,
        () => Promise.reject(new Error('reset')),
        () => true,
      )
      await expect(lost).rejects.toThrow('reset')
    }
    expect(await state()).toMatchObject({ state: 'open' })
  })

  it('is heard although what it means cannot be written down', async () => {
    await failTimes(1)
    db.raw.writer.exec(
      "CREATE TRIGGER full BEFORE INSERT ON peers BEGIN SELECT RAISE(ABORT, 'full'); END",
    )
    expect(await call(200)).toBe(200)
    const lost = breaker.call(
      host,
      () => Promise.reject(new Error('reset')),
      () => true,
    )
    await expect(lost).rejects.toThrow('reset')
    expect(await state()).toMatchObject({ failures: 1 })
  })

  it('begins anew after one success', async () => {
    await failTimes(4)
    await call(200)
    expect(await state()).toBeNull()
    await failTimes(4)
    expect(await state()).toMatchObject({ state: 'closed' })
  })

  it('is probed by one of many, whatever process they are of', async () => {
    await failTimes(5)
    clock.advance('30s')
    expect(await state()).toMatchObject({ state: 'half-open' })
    const other = createBreaker({ db, clock, events: createEventHub() })
    let release = (): void => undefined
    const held = new Promise<number>((resolve) => (release = () => resolve(200)))
    const attempts = [breaker, other, breaker, other].map((one) =>
      one.call(
        host,
        () => ((calls += 1), held),
        () => true,
      ),
    )
    const settled = Promise.allSettled(attempts)
    while (calls === 5) await new Promise(setImmediate)
    release()
    expect((await settled).filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(calls).toBe(6)
    expect(await state()).toBeNull()
  })

  it('rests twice as long after each failed probe, half an hour at most', async () => {
    await failTimes(5)
    const rests: number[] = []
    for (let time = 0; time < 8; time += 1) {
      const { restUntil } = (await findPeer(db, host)) ?? {}
      rests.push(((restUntil ?? 0) - clock.now()) / 1000)
      clock.advance(`${rests.at(-1) ?? 0}s`)
      await call(500)
    }
    expect(rests).toEqual([30, 60, 120, 240, 480, 960, 1800, 1800])
  })

  it('does not rest for ever when the clock is set back', async () => {
    clock.advance('10d')
    await failTimes(5)
    clock.advance('-10d')
    expect(await call(200)).toBe(200)
  })

  it('is not recorded for failing', async () => {
    await breaker.call(
      'stranger.example',
      () => Promise.resolve(500),
      () => false,
    )
    expect(await findPeer(db, 'stranger.example')).toBeUndefined()
  })
})
