import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { vitalsIn } from '../support/server-shims.ts'
import type { Watched } from './stage.ts'

/** How a server is at one moment. */
export interface Sample {
  /** Since the soak began. */
  readonly seconds: number
  readonly rssMib: number
  readonly heapMib: number
  readonly fds: number
  readonly timers: number
  readonly handles: number
  readonly walMib: number
  readonly p99Ms: number
  readonly longestMs: number
  /** By table. */
  readonly rows: Readonly<Record<string, number>>
}

const mib = 1024 * 1024

/** @returns undefined before the server has written down how it is. */
export function sample({ davmesh, vitalsFile }: Watched, seconds: number): Sample | undefined {
  const vitals = vitalsIn(vitalsFile)
  if (vitals === undefined) return undefined
  const database = join(davmesh.dataDir, 'davmesh.sqlite')
  const { rss, heap, timers, handles, p99Ms, longestMs } = vitals
  return {
    seconds,
    rssMib: rss / mib,
    heapMib: heap / mib,
    fds: readdirSync(`/proc/${davmesh.pid}/fd`).length,
    timers,
    handles,
    walMib: (statSync(`${database}-wal`, { throwIfNoEntry: false })?.size ?? 0) / mib,
    p99Ms,
    longestMs,
    rows: countRows(database),
  }
}

function countRows(path: string): Record<string, number> {
  const db = new Sqlite(path, { readonly: true })
  try {
    const tables = db
      .prepare<[], string>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
      )
      .pluck()
      .all()
    return Object.fromEntries(
      tables.map((table) => [
        table,
        db.prepare<[], number>(`SELECT count(*) FROM "${table}"`).pluck().get() ?? 0,
      ]),
    )
  } finally {
    db.close()
  }
}

export const median = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0

/** The least in each half minute: what is left when the garbage is collected. */
export function floorsOf(samples: readonly Sample[]): Sample[] {
  const floors = new Map<number, Sample>()
  for (const one of samples) {
    const window = Math.floor(one.seconds / 30)
    const least = floors.get(window)
    if (least === undefined || one.heapMib < least.heapMib) floors.set(window, one)
  }
  return [...floors.values()]
}

/** Least squares: how much a value grows in a minute. */
export function slopePerMinute(
  samples: readonly Sample[],
  read: (sample: Sample) => number,
): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1)
  const middle = mean(samples.map(({ seconds }) => seconds))
  const level = mean(samples.map(read))
  let along = 0
  let spread = 0
  for (const one of samples) {
    along += (one.seconds - middle) * (read(one) - level)
    spread += (one.seconds - middle) ** 2
  }
  return spread === 0 ? 0 : (along / spread) * 60
}
