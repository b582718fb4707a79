import { describe, expect, it } from '@jest/globals'
import { delivered, outboxStage } from './stage.ts'

const stage = outboxStage()

describe('leases', () => {
  /** A process that dies between the claim and the answer. */
  async function dieDelivering(start: boolean): Promise<void> {
    const other = stage.open({ pollMs: 3_600_000 })
    if (start) await other.start({ isAlone: false })
    stage.answer = () => new Promise(() => undefined)
    void other.runDue()
    while (stage.tried.length === 0) await new Promise(setImmediate)
    stage.answer = () => delivered
  }

  it('keep others away until they run out', async () => {
    await stage.owe('one')
    await dieDelivering(false)
    stage.clock.advance('89s')
    expect(await stage.outbox.runDue()).toBe(0)
    stage.clock.advance('1s')
    expect(await stage.outbox.runDue()).toBe(1)
    expect(stage.attempts.map((one) => one.attempts)).toEqual([1, 2])
  })

  it('of a killed server end when the next one starts', async () => {
    await stage.owe('one')
    await dieDelivering(true)
    await stage.outbox.start({ isAlone: true })
    await stage.untilEmpty()
    expect(stage.tried).toEqual(['one', 'one'])
  })

  it('of a command outlive the start of a server', async () => {
    await stage.owe('one')
    await dieDelivering(false)
    await stage.outbox.start({ isAlone: true })
    await stage.outbox.stop()
    expect(await stage.outbox.runDue()).toBe(0)
  })

  it('do not outlive a clock that is set back', async () => {
    stage.clock.advance('10d')
    await stage.owe('one')
    await dieDelivering(false)
    stage.clock.advance('-10d')
    expect(await stage.outbox.runDue()).toBe(1)
  })
})
