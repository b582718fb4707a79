import Table from 'cli-table3'
import type { Sample, Work } from './contract.ts'

/** Samples by work and server. */
export type Results = ReadonlyMap<string, ReadonlyMap<string, readonly Sample[]>>

export interface Cell {
  readonly median: number
  readonly p99Ms: number | undefined
  readonly cpuMsPerRequest: number | undefined
  readonly peakRssMib: number
  readonly grownRssMib: number
  readonly failures: number
  /** The median of the one that is looked at over this one's. */
  readonly ratio: number | undefined
}

export interface Row {
  readonly work: string
  readonly title: string
  readonly unit: string
  readonly target: Work['target']
  /** Whether the target was reached; absent without the server it compares to. */
  readonly met: boolean | undefined
  readonly servers: Record<string, Cell>
}

export function median(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined).sort((one, other) => one - other)
  const middle = Math.floor(known.length / 2)
  const upper = known[middle]
  if (upper === undefined || known.length % 2 === 1) return upper
  return (upper + (known[middle - 1] ?? upper)) / 2
}

/** @param looked the server that the others are compared with. */
export function summarise(works: readonly Work[], results: Results, looked = 'davmesh'): Row[] {
  return works.map((work) => {
    const bySamples = results.get(work.name) ?? new Map<string, Sample[]>()
    const ours = median((bySamples.get(looked) ?? []).map(({ value }) => value))
    const cells = [...bySamples].map(([name, samples]) => [name, cellOf(samples, ours)] as const)
    const servers = Object.fromEntries(cells)
    const { name, title, unit, target } = work
    const ratio = target && servers[target.of]?.ratio
    const met = target && ratio !== undefined ? ratio >= target.ratio : undefined
    return { work: name, title, unit, target, met, servers }
  })
}

function cellOf(samples: readonly Sample[], ours: number | undefined): Cell {
  const of = (pick: (sample: Sample) => number | undefined) => median(samples.map(pick))
  const value = of((sample) => sample.value) ?? 0
  return {
    median: value,
    p99Ms: of((sample) => sample.p99Ms),
    cpuMsPerRequest: of((sample) => sample.cpuMsPerRequest),
    peakRssMib: Math.max(...samples.map((sample) => sample.peakRssMib)),
    grownRssMib: Math.max(...samples.map((sample) => sample.grownRssMib)),
    failures: samples.reduce((sum, { failures }) => sum + failures, 0),
    ratio: ours === undefined || value === 0 ? undefined : ours / value,
  }
}

const short = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)

/** One line per work and server: ratios first, because only they travel between machines. */
export function printTable(rows: readonly Row[], looked = 'davmesh'): string {
  const head = ['work', 'server', `${looked} is`, 'target', 'median', 'p99 ms']
  const table = new Table({
    head: [...head, 'CPU ms/req', 'peak RSS', 'grown', 'failed'],
    style: { head: [], border: [] },
  })
  for (const row of rows) {
    for (const [name, cell] of Object.entries(row.servers)) {
      const ratio = name === looked || cell.ratio === undefined ? '' : `${short(cell.ratio)} ×`
      const target =
        row.target?.of === name ? `≥ ${row.target.ratio} ${row.met ? 'met' : 'MISSED'}` : ''
      table.push([
        ...[row.title, name, ratio, target, `${short(cell.median)} ${row.unit}`],
        cell.p99Ms === undefined ? '' : short(cell.p99Ms),
        cell.cpuMsPerRequest === undefined ? '' : cell.cpuMsPerRequest.toPrecision(3),
        `${Math.round(cell.peakRssMib)} MiB`,
        `${Math.round(cell.grownRssMib)} MiB`,
        cell.failures === 0 ? '' : cell.failures,
      ])
    }
  }
  return table.toString()
}
