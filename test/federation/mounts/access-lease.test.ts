import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { setImmediate as immediate } from 'node:timers/promises'
import { loadConfig } from '../../../src/config/index.ts'
import { openServices, type Services } from '../../../src/services.ts'
import { accessStage, type AccessStage } from '../../support/sending-peer.ts'

/** Each case is a story of two servers. */
jest.setTimeout(30_000)

let stage: AccessStage
let other: Services

beforeEach(async () => {
  stage = await accessStage({ arm: 'strict' })
  const { configFile: file, clock, log } = stage.server
  other = await openServices(loadConfig({ file, environment: {} }), log.log, { clock })
})

afterEach(async () => {
  await other.close()
  await stage[Symbol.asyncDispose]()
})

/** What another process, with its own rooms on the same database, gets. */
async function askBeside(): Promise<number> {
  const { status, body } = await other.access.open({ id: stage.id })({
    method: 'PROPFIND',
    path: [],
  })
  body.resume()
  return status
}

/** Holds the exchanges that come, until they are let go. */
function gate(): { held(count: number): Promise<void>; open(): void } {
  const waiting: (() => void)[] = []
  stage.sending.duringExchange(() => new Promise((resolve) => void waiting.push(resolve)))
  return {
    async held(count) {
      while (waiting.length < count) await immediate()
    },
    open() {
      for (const resolve of waiting) resolve()
    },
  }
}

describe('the lease of an exchange', () => {
  it('keeps others waiting while its holder lives', async () => {
    const { held, open } = gate()
    const one = stage.ask()
    await held(1)
    const two = askBeside()
    stage.server.clock.advance('14s')
    open()
    expect([(await one).status, await two]).toEqual([207, 207])
    expect(stage.sending.asked).toHaveLength(1)
  })

  it('is taken over when its time is over, and a late holder does no harm', async () => {
    const { held, open } = gate()
    const one = stage.ask()
    await held(1)
    const two = askBeside()
    stage.server.clock.advance('15s')
    await held(2)
    open()
    expect([(await one).status, await two]).toEqual([207, 207])
    expect(stage.sending.asked).toHaveLength(2)
    expect(stage.row()).toMatchObject({ refresh_lease_holder: null, refresh_lease_until: null })
  })

  it('is taken over when the clock was set back', async () => {
    const { held, open } = gate()
    const one = stage.ask()
    await held(1)
    stage.server.clock.advance('-1h')
    const two = askBeside()
    await held(2)
    open()
    expect([(await one).status, await two]).toEqual([207, 207])
  })

  it('ends with a failure: the others do not wait for nothing', async () => {
    stage.sending.replyToExchange({ status: 503 })
    const { held, open } = gate()
    const one = stage.ask().catch((error: unknown) => error)
    await held(1)
    const two = askBeside()
    open()
    expect(await one).toMatchObject({ code: 'sender_unreachable' })
    await held(2)
    open()
    expect(await two).toBe(207)
  })

  it('lets nobody wait who is told meanwhile that the share is over', async () => {
    stage.sending.replyToExchange({ status: 400, body: { error: 'invalid_grant' } })
    const { held, open } = gate()
    const one = stage.ask().catch((error: unknown) => error)
    await held(1)
    const two = askBeside().catch((error: unknown) => error)
    open()
    expect(await one).toMatchObject({ code: 'share_closed' })
    expect(await two).toMatchObject({ code: 'share_closed' })
    expect(stage.sending.asked).toHaveLength(1)
  })
})
