import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What `NODE_OPTIONS` has to be for a program to run before the built server does. */
const before = (...programs: readonly string[]): Record<string, string> => ({
  NODE_OPTIONS: programs
    .map((program) => `--import=data:text/javascript,${encodeURIComponent(program)}`)
    .join(' '),
})

/** Wall clock of a server: it shows what a file says, and nothing monotonic knows of it. */
export interface SteppedClock {
  readonly program: string
  /** Moves the clock so far from the true time, from now on. */
  step(ms: number): void
  /** What the server takes the time to be. */
  now(): number
}

/** @param speed how many seconds of that clock pass in one. */
export function steppedClock(folder: string, speed = 1): SteppedClock {
  const file = join(folder, 'clock-offset')
  const startedAt = Date.now()
  const step = (ms: number): void => writeFileSync(file, String(ms))
  step(0)
  return {
    step,
    now: () =>
      startedAt + (Date.now() - startedAt) * speed + Number(readFileSync(file, 'utf8') || 0),
    program: `
      import { readFileSync } from 'node:fs'
      const True = Date
      const now = () => {
        const elapsed = (True.now() - ${startedAt}) * ${speed}
        return Math.floor(${startedAt} + elapsed + Number(readFileSync(${JSON.stringify(file)}, 'utf8')))
      }
      globalThis.Date = new Proxy(True, {
        get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
        construct: (target, args, as) =>
          Reflect.construct(target, args.length === 0 ? [now()] : args, as),
        apply: () => new True(now()).toString(),
      })
    `,
  }
}

/** The environment of a server whose wall clock this is. */
export const withClock = ({ program }: SteppedClock): Record<string, string> => before(program)

/** What a server knows of itself, since it was last asked for. */
export interface Vitals {
  readonly rss: number
  /** Of JavaScript, what waits to be collected included; bytes. */
  readonly heap: number
  /** Timers, sockets, requests and whatever else keeps a process alive. */
  readonly handles: number
  readonly timers: number
  /** Event-loop delay of the last second, in milliseconds. */
  readonly p99Ms: number
  readonly longestMs: number
}

/** A program that writes down every second how its server is. */
const gauge = (file: string): string => `
  import { monitorEventLoopDelay } from 'node:perf_hooks'
  import { renameSync, writeFileSync } from 'node:fs'
  const file = ${JSON.stringify(file)}
  const resolution = 10
  const delay = monitorEventLoopDelay({ resolution })
  delay.enable()
  setInterval(() => {
    const resources = process.getActiveResourcesInfo()
    const ms = (ns) => Math.max(0, ns / 1e6 - resolution)
    const vitals = {
      rss: process.memoryUsage.rss(),
      heap: process.memoryUsage().heapUsed,
      handles: resources.length,
      timers: resources.filter((name) => name === 'Timeout').length,
      p99Ms: ms(delay.percentile(99)),
      longestMs: ms(delay.max),
    }
    delay.reset()
    writeFileSync(file + '.new', JSON.stringify(vitals))
    renameSync(file + '.new', file)
  }, 1000).unref()
`

/** The environment of a server with this clock that writes down how it is. */
export const withClockAndGauge = ({ program }: SteppedClock, file: string) =>
  before(program, gauge(file))

/** @returns undefined in the first second. */
export function vitalsIn(file: string): Vitals | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Vitals
  } catch {
    return undefined
  }
}
