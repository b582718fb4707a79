import { describe, expect, it } from '@jest/globals'
import { inTransaction } from '../../../src/db/index.ts'
import type { DeliveryOutcome } from '../../../src/outbox/index.ts'
import { delivered, later, refused, outboxStage } from './stage.ts'

const stage = outboxStage()

describe('order', () => {
  it('delivers one subject in the order of its causes, and forgets what is delivered', async () => {
    await stage.owe('one', 'a.example', 's')
    await stage.owe('two', 'a.example', 's')
    await stage.outbox.deliverNow('s')
    expect(stage.tried).toEqual(['one', 'two'])
    expect(await stage.outbox.list()).toEqual([])
  })

  it('lets nothing overtake a message that waits', async () => {
    await stage.owe('one', 'a.example', 's')
    await stage.owe('two', 'a.example', 's')
    stage.answer = () => later
    await stage.outbox.deliverNow('s')
    stage.clock.advance('4s')
    await stage.outbox.runDue()
    expect(stage.tried).toEqual(['one'])
    stage.answer = () => delivered
    stage.clock.advance('1s')
    expect(await stage.outbox.runDue()).toBe(2)
    expect(stage.tried).toEqual(['one', 'one', 'two'])
  })

  it('does not let a refused message block those behind it', async () => {
    await stage.owe('one', 'a.example', 's')
    await stage.owe('two', 'a.example', 's')
    stage.answer = (id) => (id === 'one' ? refused : delivered)
    await stage.outbox.runDue()
    expect(stage.tried).toEqual(['one', 'two'])
    expect(await stage.only()).toMatchObject({ state: 'refused', lastError: 'no', attempts: 1 })
  })

  it('sends a message once however many ask for it', async () => {
    await stage.owe('one')
    const other = stage.open()
    await Promise.all([
      stage.outbox.deliverNow('one'),
      stage.outbox.runDue(),
      other.deliverNow('one'),
      other.runDue(),
    ])
    expect(stage.tried).toEqual(['one'])
  })

  it('waits for a delivery of the same process', async () => {
    await stage.owe('one')
    let release: (outcome: DeliveryOutcome) => void = () => undefined
    const held = new Promise<DeliveryOutcome>((resolve) => (release = resolve))
    stage.answer = () => held
    const first = stage.outbox.runDue()
    while (stage.tried.length === 0) await new Promise(setImmediate)
    expect(await stage.only()).toMatchObject({ state: 'sending' })
    const second = stage.outbox.deliverNow('one').then(() => 'told')
    release(delivered)
    expect(await second).toBe('told')
    await first
    expect(await stage.outbox.list()).toEqual([])
  })
})

describe('what records the effect', () => {
  it('commits with the settlement, or neither does', async () => {
    await stage.owe('one')
    stage.answer = () => ({
      status: 'delivered',
      record: () => Promise.reject(new Error('disk on fire')),
    })
    await expect(stage.outbox.deliverNow('one')).rejects.toThrow('disk on fire')
    expect(await stage.only()).toMatchObject({ attempts: 1 })
  })

  it('is not run for an answer to an entry that was dropped meanwhile', async () => {
    await stage.owe('one')
    let recorded = false
    stage.answer = async () => {
      await stage.outbox.drop((await stage.outbox.list())[0]?.id ?? '')
      return { ...later, record: () => Promise.resolve(void (recorded = true)) }
    }
    await stage.outbox.runDue()
    expect(recorded).toBe(false)
    expect(await stage.outbox.list()).toEqual([])
  })
})

describe('cancelling', () => {
  const cancel = () => inTransaction(stage.db, (tx) => stage.outbox.cancel(tx, 's', ['share']))

  it('removes what was never stage.tried, and says that the peer knows nothing', async () => {
    await stage.owe('one', 'a.example', 's')
    expect(await cancel()).toEqual({ mayHaveArrived: false })
    expect(await stage.outbox.list()).toEqual([])
  })

  it('says that the peer may know what was tried without an answer', async () => {
    await stage.owe('one', 'a.example', 's')
    stage.answer = () => later
    await stage.outbox.runDue()
    expect(await cancel()).toEqual({ mayHaveArrived: true })
    expect(await stage.outbox.list()).toEqual([])
  })

  it('says that the peer does not have what it refused', async () => {
    await stage.owe('one', 'a.example', 's')
    stage.answer = () => refused
    await stage.outbox.runDue()
    expect(await cancel()).toEqual({ mayHaveArrived: false })
  })

  it('leaves what is on its way, so that nothing overtakes it', async () => {
    await stage.owe('one', 'a.example', 's')
    stage.answer = async (id) => {
      if (id === 'one') {
        expect(await cancel()).toEqual({ mayHaveArrived: true })
        await stage.owe('two', 'a.example', 's')
        expect(await stage.open().runDue()).toBe(0)
      }
      return delivered
    }
    await stage.outbox.deliverNow('s')
    expect(stage.tried).toEqual(['one', 'two'])
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
    await inTransaction(
      stage.db,
      stage.outbox.prepare({ peer: 'a.example', subject: 's', message }),
    )
    expect(JSON.stringify(await stage.outbox.list())).not.toContain('very-secret')
    const [row] = stage.db.raw.reader.prepare('SELECT * FROM outbox').all() as Record<
      string,
      unknown
    >[]
    expect(String(row?.['sealed_payload'])).not.toContain('very-secret')
    expect(await stage.only()).toMatchObject({ label: 'SHARE_UNSHARED', kind: 'notification' })
  })
})
