import { describe, expect, it } from '@jest/globals'
import { inTransaction } from '../../../src/db/index.ts'
import { delayMs } from '../../../src/outbox/timing.ts'
import { delivered, later, refused, outboxStage } from './stage.ts'

const stage = outboxStage()

describe('trying again', () => {
  it.each([
    [1, 5],
    [2, 10],
    [3, 20],
    [10, 2560],
    [11, 3600],
    [60, 3600],
  ])('after %d attempts waits %d s at most and half of it at least', (count, seconds) => {
    expect(delayMs(count, 1)).toBe(seconds * 1000)
    expect(delayMs(count, 0)).toBe(seconds * 500)
  })

  it.each([
    [2, 5],
    [60, 60],
    [86_400, 3600],
  ])('honours Retry-After %d by %d s', async (asked, seconds) => {
    await stage.owe('one')
    stage.answer = () => ({ ...later, retryAfterSeconds: asked })
    await stage.outbox.runDue()
    expect((await stage.only())?.nextAttemptAt).toBe(stage.clock.now() + seconds * 1000)
  })

  it('does not count what never left', async () => {
    await stage.owe('one')
    stage.answer = () => ({ ...later, untried: true, retryAfterSeconds: 30 })
    await stage.outbox.runDue()
    expect(await stage.only()).toMatchObject({
      attempts: 0,
      nextAttemptAt: stage.clock.now() + 30_000,
    })
  })

  it('gives up after 14 days, says so to the deliverer, and keeps the reason', async () => {
    await stage.owe('one')
    stage.answer = () => later
    stage.clock.advance('14d')
    await stage.outbox.runDue()
    expect(await stage.only()).toMatchObject({ state: 'waiting' })
    stage.clock.advance('1h')
    await stage.outbox.runDue()
    expect(stage.attempts.map(({ isLast }) => isLast)).toEqual([false, true])
    expect(await stage.only()).toMatchObject({ state: 'refused', lastError: 'Given up: no answer' })
  })

  it('asks nobody again who refused, until the operator says so', async () => {
    await stage.owe('one')
    stage.answer = () => refused
    await stage.outbox.runDue()
    stage.clock.advance('30d')
    expect(await stage.outbox.runDue()).toBe(0)
    stage.answer = () => delivered
    await stage.outbox.retry((await stage.only())?.id ?? '')
    expect(await stage.outbox.runDue()).toBe(1)
    expect(await stage.outbox.list()).toEqual([])
  })

  it('is not stranded by a clock that is set back', async () => {
    stage.clock.advance('10d')
    await stage.owe('one')
    stage.clock.advance('-10d')
    expect(await stage.outbox.runDue()).toBe(1)
  })

  it('keeps a message that the deliverer stumbles over', async () => {
    await stage.owe('one')
    stage.answer = () => Promise.reject(new TypeError('x is not a function'))
    await stage.outbox.runDue()
    expect(await stage.only()).toMatchObject({ state: 'waiting', attempts: 1 })
  })

  it('keeps a message of a kind that nobody delivers', async () => {
    const message = { kind: 'reshare', reshareId: 'r' } as const
    await inTransaction(
      stage.db,
      stage.outbox.prepare({ peer: 'a.example', subject: 'r', message }),
    )
    await stage.outbox.runDue()
    expect(await stage.only()).toMatchObject({ state: 'waiting', attempts: 0, kind: 'reshare' })
  })
})
