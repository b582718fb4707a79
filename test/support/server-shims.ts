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
