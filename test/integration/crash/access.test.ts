import { expect, it, jest } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultPoint } from '../../../src/core/index.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { accessStage, type AccessStage } from '../../support/sending-peer.ts'

/** Each case starts built processes; one waits until a lease has run out. */
jest.setTimeout(60_000)

const dist = new URL('../../../dist/', import.meta.url).href

/** So many requests at once through the built rooms, again while the sender cannot be asked. */
const program = `
  const [configFile, id, count, laterMs, fault] = process.argv.slice(1)
  const { armFault, createLogger } = await import('${dist}core/index.js')
  const { loadConfig } = await import('${dist}config/index.js')
  const { openServices } = await import('${dist}services.js')
  const log = createLogger({ level: 'silent', format: 'json' })
  if (fault !== '') armFault(fault, log)
  const clock = { now: () => Date.now() + Number(laterMs) }
  const services = await openServices(loadConfig({ file: configFile, environment: {} }), log, { clock })
  process.stdout.write('ready')
  await new Promise((resolve) => process.stdin.once('data', resolve))
  const call = services.access.open({ id })
  const ask = async () => {
    for (;;) {
      try {
        const { status, body } = await call({ method: 'PROPFIND', path: [], headers: { depth: '0' } })
        for await (const chunk of body) void chunk
        return status
      } catch (error) {
        if (error.code !== 'sender_unreachable') throw error
      }
    }
  }
  const statuses = await Promise.all(Array.from({ length: Number(count) }, ask))
  await services.close()
  process.stdout.write(JSON.stringify(statuses))
  process.exit(0)
`

interface Asking {
  /** Begins to ask; the statuses, or the signal that ended it. */
  go(): Promise<number[] | string>
}

/** A process that is ready to ask. */
async function asking(
  { server, id }: AccessStage,
  count: number,
  { laterMs = 0, fault = '' }: { laterMs?: number; fault?: `${FaultPoint}:kill` | '' } = {},
): Promise<Asking> {
  const args = [server.configFile, id, String(count), String(laterMs), fault]
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  const closed = once(child, 'close') as Promise<[number | null, string | null]>
  await once(child.stdout, 'data')
  return {
    async go() {
      child.stdin.end('go')
      const [code, signal] = await closed
      return code === 0 ? (JSON.parse(out.replace('ready', '')) as number[]) : (signal ?? '?')
    },
  }
}

/** A share whose token ended an hour ago. */
async function expired(): Promise<AccessStage> {
  const hour = 60 * 60_000
  const clock = fakeClock(Date.now() - 2 * hour)
  const stage = await accessStage({ arm: 'strict', server: { clock } })
  await stage.ask()
  stage.sending.accepts.clear()
  stage.sending.asked.length = 0
  return stage
}

it('R11: four processes with 25 requests each exchange an expired token once', async () => {
  await using stage = await expired()
  stage.sending.duringExchange(() => sleep(300))
  const all = await Promise.all([1, 2, 3, 4].map(() => asking(stage, 25)))
  const answers = await Promise.all(all.map(({ go }) => go()))
  expect(answers.flat()).toEqual(Array.from({ length: 100 }, () => 207))
  expect(stage.sending.asked).toHaveLength(1)
})

it.each<[FaultPoint, number, number]>([
  ['access.leased', 0, 1],
  ['access.exchanged', 1, 2],
  ['access.kept', 1, 1],
])('R11: killed at %s, another process takes over', async (point, before, after) => {
  await using stage = await expired()
  const dying = await asking(stage, 5, { fault: `${point}:kill` })
  expect(await dying.go()).toBe('SIGKILL')
  expect(stage.sending.asked).toHaveLength(before)
  const next = await asking(stage, 5, { laterMs: 15_000 })
  expect(await next.go()).toEqual([207, 207, 207, 207, 207])
  expect(stage.sending.asked).toHaveLength(after)
  expect(stage.row()).toMatchObject({ refresh_lease_holder: null, problem: null })
})

it('R11: who waits for a dead process goes on when its lease has run out', async () => {
  await using stage = await expired()
  const dying = await asking(stage, 1, { fault: 'access.leased:kill' })
  expect(await dying.go()).toBe('SIGKILL')
  const until = Number(stage.row()['refresh_lease_until'])
  expect(until).toBeLessThanOrEqual(Date.now() + 15_000)
  const [one, other] = await Promise.all([asking(stage, 25), asking(stage, 25)])
  const answers = await Promise.all([one.go(), other.go()])
  expect(answers.flat()).toEqual(Array.from({ length: 50 }, () => 207))
  expect(stage.sending.asked).toHaveLength(1)
  expect(Date.now()).toBeGreaterThanOrEqual(until)
})
