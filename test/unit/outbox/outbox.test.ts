import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { join } from 'node:path'
import { createEventHub, createSealer } from '../../../src/core/index.ts'
import {
  inTransaction,
  migrateDatabase,
  openDatabase,
  type Database,
} from '../../../src/db/index.ts'
import {
  createOutbox,
  type Attempt,
  type DeliveryOutcome,
  type Outbox,
  type OutboxDeps,
} from '../../../src/outbox/index.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { tempDir, type TempDir } from '../../support/temp-dir.ts'

let folder: TempDir
let db: Database
let clock: FakeClock
/** Share ids as delivered, in order. */
let tried: string[]
let attempts: Attempt[]
let answer: (shareId: string) => DeliveryOutcome | Promise<DeliveryOutcome>
let outbox: Outbox

const sealer = createSealer(Buffer.alloc(32, 1))
const later: DeliveryOutcome = { status: 'later', reason: 'no answer' }
const refused: DeliveryOutcome = { status: 'refused', reason: 'no' }
const delivered: DeliveryOutcome = { status: 'delivered' }

const open = (timing: OutboxDeps['timing'] = {}): Outbox =>
  createOutbox({
    db,
    clock,
    sealer,
    events: createEventHub(),
    timing: { random: () => 1, pollMs: 5, ...timing },
    handlers: {
      async share({ shareId }, attempt) {
        tried.push(shareId)
        attempts.push(attempt)
        return answer(shareId)
      },
    },
  })

beforeEach(async () => {
  folder = await tempDir()
  db = openDatabase(join(folder.path, 'davmesh.sqlite'))
  migrateDatabase(db, 1)
  clock = fakeClock()
  tried = []
  attempts = []
  answer = () => delivered
  outbox = open()
})

afterEach(async () => {
  await outbox.stop()
  db.close()
  await folder[Symbol.asyncDispose]()
})

const owe = (shareId: string, peer = 'a.example', subject = shareId): Promise<void> =>
  inTransaction(db, outbox.prepare({ peer, subject, message: { kind: 'share', shareId } }))

const only = async () => {
  const [entry, ...others] = await outbox.list()
  expect(others).toEqual([])
  return entry
}

const untilEmpty = async (): Promise<void> => {
  while ((await outbox.list()).length > 0) await new Promise((resolve) => setTimeout(resolve, 2))
}

describe('order', () => {
  it('delivers one subject in the order of its causes, and forgets what is delivered', async () => {
    await owe('one', 'a.example', 's')
    await owe('two', 'a.example', 's')
    await outbox.deliverNow('s')
    expect(tried).toEqual(['one', 'two'])
    expect(await outbox.list()).toEqual([])
  })

  it('lets nothing overtake a message that waits', async () => {
    await owe('one', 'a.example', 's')
    await owe('two', 'a.example', 's')
    answer = () => later
    await outbox.deliverNow('s')
    clock.advance('4s')
    await outbox.runDue()
    expect(tried).toEqual(['one'])
    answer = () => delivered
    clock.advance('1s')
    expect(await outbox.runDue()).toBe(2)
    expect(tried).toEqual(['one', 'one', 'two'])
  })

  it('does not let a refused message block those behind it', async () => {
    await owe('one', 'a.example', 's')
    await owe('two', 'a.example', 's')
    answer = (id) => (id === 'one' ? refused : delivered)
    await outbox.runDue()
    expect(tried).toEqual(['one', 'two'])
    expect(await only()).toMatchObject({ state: 'refused', lastError: 'no', attempts: 1 })
  })

  it('sends a message once however many ask for it', async () => {
    await owe('one')
    const other = open()
    await Promise.all([
      outbox.deliverNow('one'),
      outbox.runDue(),
      other.deliverNow('one'),
      other.runDue(),
    ])
    expect(tried).toEqual(['one'])
  })

  it('waits for a delivery of the same process', async () => {
    await owe('one')
    let release: (outcome: DeliveryOutcome) => void = () => undefined
    const held = new Promise<DeliveryOutcome>((resolve) => (release = resolve))
    answer = () => held
    const first = outbox.runDue()
    while (tried.length === 0) await new Promise(setImmediate)
    expect(await only()).toMatchObject({ state: 'sending' })
    const second = outbox.deliverNow('one').then(() => 'told')
    release(delivered)
    expect(await second).toBe('told')
    await first
    expect(await outbox.list()).toEqual([])
  })
})

describe('what records the effect', () => {
  it('commits with the settlement, or neither does', async () => {
    await owe('one')
    answer = () => ({
      status: 'delivered',
      record: () => Promise.reject(new Error('disk on fire')),
    })
    await expect(outbox.deliverNow('one')).rejects.toThrow('disk on fire')
    expect(await only()).toMatchObject({ attempts: 1 })
  })

  it('is not run for an answer to an entry that was dropped meanwhile', async () => {
    await owe('one')
    let recorded = false
    answer = async () => {
      await outbox.drop((await outbox.list())[0]?.id ?? '')
      return { ...later, record: () => Promise.resolve(void (recorded = true)) }
    }
    await outbox.runDue()
    expect(recorded).toBe(false)
    expect(await outbox.list()).toEqual([])
  })
})

describe('trying again', () => {
  it.each([
    [1, 5],
    [2, 10],
    [3, 20],
    [10, 2560],
    [11, 3600],
    [60, 3600],
  ])('after %d attempts waits %d s at most and half of it at least', async (count, seconds) => {
    const { delayMs } = await import('../../../src/outbox/timing.ts')
    expect(delayMs(count, 1)).toBe(seconds * 1000)
    expect(delayMs(count, 0)).toBe(seconds * 500)
  })

  it.each([
    [2, 5],
    [60, 60],
    [86_400, 3600],
  ])('honours Retry-After %d by %d s', async (asked, seconds) => {
    await owe('one')
    answer = () => ({ ...later, retryAfterSeconds: asked })
    await outbox.runDue()
    expect((await only())?.nextAttemptAt).toBe(clock.now() + seconds * 1000)
  })

  it('does not count what never left', async () => {
    await owe('one')
    answer = () => ({ ...later, untried: true, retryAfterSeconds: 30 })
    await outbox.runDue()
    expect(await only()).toMatchObject({ attempts: 0, nextAttemptAt: clock.now() + 30_000 })
  })

  it('gives up after 14 days, says so to the deliverer, and keeps the reason', async () => {
    await owe('one')
    answer = () => later
    clock.advance('14d')
    await outbox.runDue()
    expect(await only()).toMatchObject({ state: 'waiting' })
    clock.advance('1h')
    await outbox.runDue()
    expect(attempts.map(({ isLast }) => isLast)).toEqual([false, true])
    expect(await only()).toMatchObject({ state: 'refused', lastError: 'Given up: no answer' })
  })

  it('asks nobody again who refused, until the operator says so', async () => {
    await owe('one')
    answer = () => refused
    await outbox.runDue()
    clock.advance('30d')
    expect(await outbox.runDue()).toBe(0)
    answer = () => delivered
    await outbox.retry((await only())?.id ?? '')
    expect(await outbox.runDue()).toBe(1)
    expect(await outbox.list()).toEqual([])
  })

  it('is not stranded by a clock that is set back', async () => {
    clock.advance('10d')
    await owe('one')
    clock.advance('-10d')
    expect(await outbox.runDue()).toBe(1)
  })

  it('keeps a message that the deliverer stumbles over', async () => {
    await owe('one')
    answer = () => Promise.reject(new TypeError('x is not a function'))
    await outbox.runDue()
    expect(await only()).toMatchObject({ state: 'waiting', attempts: 1 })
  })

  it('keeps a message of a kind that nobody delivers', async () => {
    const message = { kind: 'reshare', reshareId: 'r' } as const
    await inTransaction(db, outbox.prepare({ peer: 'a.example', subject: 'r', message }))
    await outbox.runDue()
    expect(await only()).toMatchObject({ state: 'waiting', attempts: 0, kind: 'reshare' })
  })
})

describe('leases', () => {
  /** A process that dies between the claim and the answer. */
  async function dieDelivering(start: boolean): Promise<void> {
    const other = open({ pollMs: 3_600_000 })
    if (start) await other.start({ isAlone: false })
    answer = () => new Promise(() => undefined)
    void other.runDue()
    while (tried.length === 0) await new Promise(setImmediate)
    answer = () => delivered
  }

  it('keep others away until they run out', async () => {
    await owe('one')
    await dieDelivering(false)
    clock.advance('89s')
    expect(await outbox.runDue()).toBe(0)
    clock.advance('1s')
    expect(await outbox.runDue()).toBe(1)
    expect(attempts.map((one) => one.attempts)).toEqual([1, 2])
  })

  it('of a killed server end when the next one starts', async () => {
    await owe('one')
    await dieDelivering(true)
    await outbox.start({ isAlone: true })
    await untilEmpty()
    expect(tried).toEqual(['one', 'one'])
  })

  it('of a command outlive the start of a server', async () => {
    await owe('one')
    await dieDelivering(false)
    await outbox.start({ isAlone: true })
    await outbox.stop()
    expect(await outbox.runDue()).toBe(0)
  })

  it('do not outlive a clock that is set back', async () => {
    clock.advance('10d')
    await owe('one')
    await dieDelivering(false)
    clock.advance('-10d')
    expect(await outbox.runDue()).toBe(1)
  })
})

describe('cancelling', () => {
  const cancel = () => inTransaction(db, (tx) => outbox.cancel(tx, 's', ['share']))

  it('removes what was never tried, and says that the peer knows nothing', async () => {
    await owe('one', 'a.example', 's')
    expect(await cancel()).toEqual({ mayHaveArrived: false })
    expect(await outbox.list()).toEqual([])
  })

  it('says that the peer may know what was tried without an answer', async () => {
    await owe('one', 'a.example', 's')
    answer = () => later
    await outbox.runDue()
    expect(await cancel()).toEqual({ mayHaveArrived: true })
    expect(await outbox.list()).toEqual([])
  })

  it('says that the peer does not have what it refused', async () => {
    await owe('one', 'a.example', 's')
    answer = () => refused
    await outbox.runDue()
    expect(await cancel()).toEqual({ mayHaveArrived: false })
  })

  it('leaves what is on its way, so that nothing overtakes it', async () => {
    await owe('one', 'a.example', 's')
    answer = async (id) => {
      if (id === 'one') {
        expect(await cancel()).toEqual({ mayHaveArrived: true })
        await owe('two', 'a.example', 's')
        expect(await open().runDue()).toBe(0)
      }
      return delivered
    }
    await outbox.deliverNow('s')
    expect(tried).toEqual(['one', 'two'])
  })
})

describe('the courier', () => {
  it('delivers what others leave in the database, without being told', async () => {
    await outbox.start({ isAlone: true })
    await owe('one')
    await untilEmpty()
    expect(tried).toEqual(['one'])
  })

  it('serves everybody while one peer hangs and thousands wait for it', async () => {
    const entries = Array.from({ length: 5000 }, (_, index) =>
      outbox.prepare({
        peer: 'dead.example',
        subject: `dead-${index}`,
        message: { kind: 'share', shareId: 'dead' },
      }),
    )
    await inTransaction(db, async (tx) => {
      for (const insert of entries) await insert(tx)
    })
    let release: (outcome: DeliveryOutcome) => void = () => undefined
    const held = new Promise<DeliveryOutcome>((resolve) => (release = resolve))
    answer = (id) => (id === 'dead' ? held : delivered)
    await outbox.start({ isAlone: true })
    while (tried.length === 0) await new Promise(setImmediate)
    for (const one of ['x', 'y', 'z']) await owe(one, `${one}.example`)
    while (tried.length < 4) await new Promise((resolve) => setTimeout(resolve, 2))
    expect(tried.toSorted()).toEqual(['dead', 'x', 'y', 'z'])
    const stopped = outbox.stop()
    release(later)
    await stopped
  })

  it('lets a delivery end when it stops, and begins no other', async () => {
    await owe('one', 'a.example', 's')
    await owe('two', 'a.example', 's')
    let release: (outcome: DeliveryOutcome) => void = () => undefined
    answer = () => new Promise((resolve) => (release = resolve))
    await outbox.start({ isAlone: true })
    while (tried.length === 0) await new Promise(setImmediate)
    const stopped = outbox.stop()
    release(delivered)
    await stopped
    expect(tried).toEqual(['one'])
    expect(await outbox.list()).toHaveLength(1)
  })
})

describe('what lies in the database', () => {
  it('shows no secret, and opens nowhere else', async () => {
    const message = {
      kind: 'notification',
      type: 'SHARE_UNSHARED',
      providerId: 'p',
      resourceType: 'file',
      secret: 'very-secret',
    } as const
    await inTransaction(db, outbox.prepare({ peer: 'a.example', subject: 's', message }))
    expect(JSON.stringify(await outbox.list())).not.toContain('very-secret')
    const [row] = db.raw.reader.prepare('SELECT * FROM outbox').all() as Record<string, unknown>[]
    expect(String(row?.['sealed_payload'])).not.toContain('very-secret')
    expect(await only()).toMatchObject({ label: 'SHARE_UNSHARED', kind: 'notification' })
  })
})
