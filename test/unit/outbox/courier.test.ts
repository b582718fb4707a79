import { describe, expect, it } from '@jest/globals'
import { inTransaction } from '../../../src/db/index.ts'
import type { DeliveryOutcome } from '../../../src/outbox/index.ts'
import { delivered, later, outboxStage } from './stage.ts'

const stage = outboxStage()

describe('the courier', () => {
  it('delivers what others leave in the database, without being told', async () => {
    await stage.outbox.start({ isAlone: true })
    await stage.owe('one')
    await stage.untilEmpty()
    expect(stage.tried).toEqual(['one'])
  })

  it('serves everybody while one peer hangs and thousands wait for it', async () => {
    const entries = Array.from({ length: 5000 }, (_, index) =>
      stage.outbox.prepare({
        peer: 'dead.example',
        subject: `dead-${index}`,
        message: { kind: 'share', shareId: 'dead' },
      }),
    )
    await inTransaction(stage.db, async (tx) => {
      for (const insert of entries) await insert(tx)
    })
    let release: (outcome: DeliveryOutcome) => void = () => undefined
    const held = new Promise<DeliveryOutcome>((resolve) => (release = resolve))
    stage.answer = (id) => (id === 'dead' ? held : delivered)
    await stage.outbox.start({ isAlone: true })
    while (stage.tried.length === 0) await new Promise(setImmediate)
    for (const one of ['x', 'y', 'z']) await stage.owe(one, `${one}.example`)
    while (stage.tried.length < 4) await new Promise((resolve) => setTimeout(resolve, 2))
    expect(stage.tried.toSorted()).toEqual(['dead', 'x', 'y', 'z'])
    const stopped = stage.outbox.stop()
    release(later)
    await stopped
  })

  it('lets a delivery end when it stops, and begins no other', async () => {
    await stage.owe('one', 'a.example', 's')
    await stage.owe('two', 'a.example', 's')
    let release: (outcome: DeliveryOutcome) => void = () => undefined
    stage.answer = () => new Promise((resolve) => (release = resolve))
    await stage.outbox.start({ isAlone: true })
    while (stage.tried.length === 0) await new Promise(setImmediate)
    const stopped = stage.outbox.stop()
    release(delivered)
    await stopped
    expect(stage.tried).toEqual(['one'])
    expect(await stage.outbox.list()).toHaveLength(1)
  })
})
