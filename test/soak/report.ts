import type { Tally } from './load.ts'
import { floorsOf, median, slopePerMinute, type Sample } from './samples.ts'

export interface SoakResult {
  readonly seconds: number
  readonly servers: Readonly<Record<string, readonly Sample[]>>
  readonly tallies: ReadonlyMap<string, Tally>
  readonly chores: readonly string[]
}

/** A figure beside what it may be (robustness R20). */
interface Figure {
  readonly name: string
  readonly value: number
  readonly limit: number
}

/** Who we gave what to is history that an operator may ask for. */
const history = new Set(['outgoing_shares', 'refresh_tokens', 'signing_keys', 'migrations'])

const largest = (samples: readonly Sample[], read: (sample: Sample) => number): number =>
  Math.max(...samples.map(read))

/** How much higher the last third of a soak is than the third before it. */
function growth(samples: readonly Sample[], read: (sample: Sample) => number): number {
  const third = Math.floor(samples.length / 3)
  return largest(samples.slice(-third), read) - largest(samples.slice(third, -third), read)
}

function figuresOf(name: string, samples: readonly Sample[]): Figure[] {
  const warm = samples.slice(Math.floor(samples.length / 3))
  const tables = Object.keys(samples.at(-1)?.rows ?? {}).filter((table) => !history.has(table))
  const row = (figure: string, value: number, limit: number): Figure => ({
    name: `${name}: ${figure}`,
    value,
    limit,
  })
  return [
    row(
      'memory, MiB a minute',
      slopePerMinute(warm, ({ rssMib }) => rssMib),
      1,
    ),
    row(
      'live heap, MiB a minute',
      slopePerMinute(floorsOf(warm), ({ heapMib }) => heapMib),
      1,
    ),
    row(
      'file descriptors, growth',
      growth(samples, ({ fds }) => fds),
      20,
    ),
    row(
      'timers, growth',
      growth(samples, ({ timers }) => timers),
      20,
    ),
    row(
      'handles, growth',
      growth(samples, ({ handles }) => handles),
      40,
    ),
    ...tables.map((table) =>
      row(
        `rows of ${table}, growth`,
        growth(samples, ({ rows }) => rows[table] ?? 0),
        20 + 0.2 * largest(samples, ({ rows }) => rows[table] ?? 0),
      ),
    ),
    row(
      'log of the database, MiB',
      largest(warm, ({ walMib }) => walMib),
      16,
    ),
    row('event loop p99, ms', median(warm.map(({ p99Ms }) => p99Ms)), 50),
  ]
}

/** Every bound that was broken, in words; nothing if none was. */
export function judge(result: SoakResult): string[] {
  const figures = Object.entries(result.servers).flatMap(([name, all]) => figuresOf(name, all))
  const broken = figures.filter(({ value, limit }) => value > limit)
  return [
    ...broken.map(({ name, value, limit }) => `${name}: ${value.toFixed(2)}, not ${limit}`),
    ...unexpectedOf(result),
  ]
}

/** What was answered though nothing was in its way. */
export const unexpectedOf = ({ tallies }: SoakResult): string[] =>
  [...tallies].flatMap(([name, { unexpected }]) => unexpected.map((text) => `${name}: ${text}`))

export function tableOf(result: SoakResult): string {
  const lines: string[] = ['| requests | number | answers |', '| --- | --- | --- |']
  for (const [name, { requests, classes }] of result.tallies) {
    const answers = Object.entries(classes).map(([digit, count]) => `${digit} ${count}`)
    lines.push(`| ${name} | ${requests} | ${answers.sort().join(', ')} |`)
  }
  lines.push('', '| figure | is | may be |', '| --- | --- | --- |')
  for (const [name, samples] of Object.entries(result.servers)) {
    for (const { name: figure, value, limit } of figuresOf(name, samples)) {
      // What stays as it is needs no line of its own.
      if (figure.includes(': rows of') && value <= 0) continue
      lines.push(`| ${figure} | ${value.toFixed(2)} | ${limit.toFixed(0)} |`)
    }
    const { rssMib = 0, fds = 0 } = samples.at(-1) ?? {}
    lines.push(`| ${name}: in the end, MiB and fds | ${rssMib.toFixed(0)}, ${fds} | |`)
  }
  lines.push('', `chores: ${result.chores.join(', ') || 'none by command'}`)
  return lines.join('\n')
}

/** One line of how it goes. */
export const progressOf = (seconds: number, name: string, one: Sample): string =>
  `${seconds.toFixed(0)} s ${name}: ${one.rssMib.toFixed(0)} MiB, ${one.fds} fds, ` +
  `${one.timers} timers, WAL ${one.walMib.toFixed(1)} MiB, p99 ${one.p99Ms.toFixed(0)} ms, ` +
  `longest ${one.longestMs.toFixed(0)} ms`
