import { availableParallelism, cpus } from 'node:os'
import type { Measured } from './load.ts'

/** One run of one case. */
export interface Sample extends Measured {
  /** Processor time of the measured process for one request; undefined where it cannot be had. */
  readonly cpuMicros: number | undefined
}

export interface Row {
  readonly name: string
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly cpuMicros: number | null
  /** Median over the rounds of this case's rate by the floor's of the same round. */
  readonly ofFloor: number | null
  /** (highest - lowest) / median of the rate, over the rounds. */
  readonly spread: number
  readonly perRound: readonly number[]
}

export interface Report {
  readonly machine: { cpus: number; model: string; node: string; platform: string }
  readonly generator: string
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  /** The floor's own spread: differences below it mean nothing. */
  readonly noise: number
  readonly peakRssBytes: { davmesh: number | null; floor: number | null }
  readonly results: readonly Row[]
}

export const describeMachine = (): Report['machine'] => ({
  cpus: availableParallelism(),
  model: cpus()[0]?.model.trim() ?? 'unknown',
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
})

export function summarise(name: string, samples: readonly Sample[], floor?: readonly Row[]): Row {
  const perRound = samples.map(({ count, seconds }) => count / seconds)
  const perSecond = median(perRound)
  const cpu = samples.map(({ cpuMicros }) => cpuMicros).filter((value) => value !== undefined)
  const floorRounds = floor?.[0]?.perRound
  return {
    name,
    perSecond,
    p50: median(samples.map(({ p50 }) => p50)),
    p99: median(samples.map(({ p99 }) => p99)),
    cpuMicros: cpu.length === samples.length ? median(cpu) : null,
    ofFloor: floorRounds
      ? median(perRound.map((rate, round) => rate / (floorRounds[round] ?? rate)))
      : null,
    spread: (Math.max(...perRound) - Math.min(...perRound)) / perSecond,
    perRound,
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? 0
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? 0)) / 2 : upper
}

const head = ['', 'per second', 'of floor', 'p50 ms', 'p99 ms', 'CPU us each', 'spread']

/** The report for people. */
export function writeTable(report: Report): string {
  const { machine, rounds, seconds, connections, generator, noise, peakRssBytes } = report
  const rows = report.results.map((row) => [
    row.name,
    Math.round(row.perSecond).toLocaleString('en'),
    row.ofFloor === null ? '-' : percent(row.ofFloor),
    milliseconds(row.p50),
    milliseconds(row.p99),
    row.cpuMicros === null ? '-' : row.cpuMicros.toFixed(0),
    percent(row.spread),
  ])
  const cells = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const lines = cells.map((row) =>
    row.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0),
    ),
  )
  return [
    `${machine.cpus} x ${machine.model}, Node ${machine.node}, ${machine.platform}`,
    `${rounds} interleaved rounds of ${seconds} s, ${connections} connections, by ${generator}; medians`,
    '',
    ...lines.map((line) => line.join('  ')),
    '',
    `Noise: the floor itself varies by ${percent(noise)} between rounds; smaller differences mean nothing.`,
    `Peak memory: davmesh ${mebibytes(peakRssBytes.davmesh)}, floor ${mebibytes(peakRssBytes.floor)}.`,
    'Spread is (highest - lowest) / median. Checks run in the benchmark process, on the same database.',
  ].join('\n')
}

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
const milliseconds = (value: number): string => value.toFixed(value < 1 ? 3 : 2)
const mebibytes = (bytes: number | null): string =>
  bytes === null ? 'unknown' : `${(bytes / 1024 / 1024).toFixed(0)} MiB`
