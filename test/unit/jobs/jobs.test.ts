import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { join } from 'node:path'
import { migrateDatabase, openDatabase, type Database } from '../../../src/db/index.ts'
import { createJobs, type Chore, type JobTiming } from '../../../src/jobs/index.ts'
import { captureLog } from '../../support/captured-log.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { tempDir, type TempDir } from '../../support/temp-dir.ts'

let folder: TempDir
let clock: FakeClock
const open: Database[] = []

beforeEach(async () => {
  folder = await tempDir()
  clock = fakeClock()
})

afterEach(async () => {
  for (const db of open.splice(0)) db.close()
  await folder[Symbol.asyncDispose]()
})

/** Another process, as far as the database can tell. */
function another(chores: readonly Chore[], timing: Partial<JobTiming> = {}) {
  const db = openDatabase(join(folder.path, 'davmesh.sqlite'))
  open.push(db)
  migrateDatabase(db, 1)
  const { log, text } = captureLog()
  const jobs = createJobs({ db, clock, log, chores, timing: { random: () => 0.5, ...timing } })
  return { db, jobs, text }
}

/** A chore that counts its runs. */
function counting(work: (signal: AbortSignal) => Promise<string | undefined>) {
  const count = { runs: 0 }
  const chore: Chore = {
    name: 'count',
    everySeconds: 600,
    run(signal) {
      count.runs += 1
      return work(signal)
    },
  }
  return { chore, count }
}

const nothing = () => Promise.resolve(undefined)

/** A chore that lasts until it is told. */
function held() {
  let end = (): void => undefined
  const ended = new Promise<undefined>((resolve) => (end = () => resolve(undefined)))
  let began = (): void => undefined
  const begun = new Promise<void>((resolve) => (began = resolve))
  const signals: AbortSignal[] = []
  return {
    ...counting((signal) => {
      signals.push(signal)
      began()
      return ended
    }),
    end: () => end(),
    begun,
    signals,
  }
}

describe('a chore', () => {
  it('runs soon after the first start, then when it is due', async () => {
    const { chore, count } = counting(() => Promise.resolve('3 things done'))
    const { jobs } = another([chore])
    expect(await jobs.list()).toMatchObject([{ name: 'count', state: 'waiting', nextRunAt: null }])
    await jobs.runDue()
    expect(count.runs).toBe(0)
    clock.advance('1m')
    await jobs.runDue()
    await jobs.runDue()
    expect(count.runs).toBe(1)
    const now = clock.now()
    expect(await jobs.list()).toEqual([
      {
        name: 'count',
        everySeconds: 600,
        state: 'waiting',
        nextRunAt: now + 600_000,
        lastStartedAt: now,
        lastEndedAt: now,
        lastOutcome: '3 things done',
        lastError: null,
      },
    ])
    clock.advance('10m')
    await jobs.runDue()
    expect(count.runs).toBe(2)
  })

  it('that fails is told, harms no other, and is tried again sooner', async () => {
    let fails = true
    const { chore, count } = counting(() =>
      fails ? Promise.reject(new Error('no luck')) : Promise.resolve(undefined),
    )
    const other = counting(nothing)
    const { jobs, text } = another([chore, { ...other.chore, name: 'other' }])
    await jobs.runDue()
    clock.advance('1m')
    await jobs.runDue()
    expect([count.runs, other.count.runs]).toEqual([1, 1])
    expect(await jobs.list()).toMatchObject([{ lastError: 'no luck' }, { lastError: null }])
    expect(text()).toContain('a chore failed')
    fails = false
    clock.advance('5m')
    await jobs.runDue()
    expect([count.runs, other.count.runs]).toEqual([2, 1])
    expect(await jobs.list()).toMatchObject([{ lastError: null }, {}])
  })

  it('is run on request, whether it is due or not', async () => {
    const { chore, count } = counting(nothing)
    const { jobs } = another([chore])
    expect(await jobs.run('count')).toEqual({ text: null, error: null })
    expect(count.runs).toBe(1)
    await expect(jobs.run('nothing')).rejects.toMatchObject({ code: 'job_not_found' })
  })

  it('keeps its row, and no more than that, however often it runs', async () => {
    const { chore } = counting(nothing)
    const { jobs, db } = another([chore])
    for (let round = 0; round < 20; round += 1) {
      await jobs.runDue()
      clock.advance('11m')
    }
    expect(db.raw.reader.prepare('SELECT count(*) FROM job_leases').pluck().get()).toBe(1)
  })
})

describe('one runner at a time', () => {
  it('of many processes, one runs what is due', async () => {
    const { chore, count } = counting(nothing)
    const all = [another([chore]), another([chore]), another([chore])]
    await Promise.all(all.map(({ jobs }) => jobs.runDue()))
    clock.advance('1m')
    await Promise.all(all.map(({ jobs }) => jobs.runDue()))
    expect(count.runs).toBe(1)
  })

  it('nobody else runs it meanwhile, not even on request', async () => {
    const long = held()
    const [one, two] = [another([long.chore]), another([long.chore])]
    const running = one.jobs.run('count')
    await long.begun
    await expect(two.jobs.run('count')).rejects.toMatchObject({ code: 'job_running' })
    await expect(one.jobs.run('count')).rejects.toMatchObject({ code: 'job_running' })
    expect(await two.jobs.list()).toMatchObject([{ state: 'running' }])
    long.end()
    await running
    expect(long.count.runs).toBe(1)
  })

  it('R11: what a dead process was at is taken over when its lease has ended', async () => {
    const lost = held()
    const again = counting(nothing)
    // The first one's heart does not beat any more.
    const dead = another([lost.chore], { leaseMs: 90_000_000 })
    const alive = another([again.chore])
    dead.db.raw.writer.pragma('busy_timeout = 100')
    const running = dead.jobs.run('count')
    await lost.begun
    dead.db.raw.writer.exec(`UPDATE job_leases SET lease_until = ${clock.now() + 90_000}`)
    clock.advance('89s')
    await alive.jobs.runDue()
    expect(again.count.runs).toBe(0)
    clock.advance('1s')
    await alive.jobs.runDue()
    expect(again.count.runs).toBe(1)
    // Whoever lost it notes nothing over the other's outcome.
    const after = await alive.jobs.list()
    clock.advance('1s')
    lost.end()
    await running
    expect(await alive.jobs.list()).toEqual(after)
  })

  it('whoever lost it is told to end', async () => {
    const lost = held()
    const { jobs, db } = another([lost.chore], { leaseMs: 60 })
    const running = jobs.run('count')
    await lost.begun
    db.raw.writer.exec("UPDATE job_leases SET owner = 'somebody else'")
    await new Promise<void>((resolve) =>
      lost.signals[0]?.addEventListener('abort', () => resolve()),
    )
    lost.end()
    await running
  })

  it('a long one stays its runner’s by a sign of life', async () => {
    const long = held()
    const { jobs, db } = another([long.chore], { leaseMs: 60 })
    const running = jobs.run('count')
    await long.begun
    const until = () =>
      db.raw.reader.prepare('SELECT lease_until FROM job_leases').pluck().get() as number
    const first = until()
    clock.advance('10ms')
    while (until() === first) await new Promise((done) => setTimeout(done, 5))
    long.end()
    await running
    expect(await jobs.list()).toMatchObject([{ state: 'waiting' }])
  })
})

describe('R9: a clock that is set back', () => {
  it('does not make a chore wait, nor a lease last', async () => {
    const { chore, count } = counting(nothing)
    const { jobs, db } = another([chore])
    await jobs.run('count')
    clock.advance('-2h')
    await jobs.runDue()
    expect(count.runs).toBe(2)
    const later = clock.now() + 7_200_000
    db.raw.writer.exec(`UPDATE job_leases SET owner = 'dead', lease_until = ${later}`)
    expect(await jobs.list()).toMatchObject([{ state: 'waiting' }])
    await jobs.run('count')
    expect(count.runs).toBe(3)
  })
})

describe('the background', () => {
  it('runs chores from the start on, and a stop waits for the one that runs', async () => {
    const long = held()
    const { jobs } = another([long.chore], { pollMs: 5, random: () => 0 })
    jobs.start()
    await long.begun
    const stopped = jobs.stop()
    expect(long.signals[0]?.aborted).toBe(true)
    long.end()
    await stopped
    expect(await jobs.list()).toMatchObject([{ state: 'waiting' }])
    expect(long.count.runs).toBe(1)
  })
})
