import { newId, type Clock } from '../core/index.ts'
import { inTransaction, type Database } from '../db/index.ts'
import type { Chore } from './chore.ts'
import { findJob, updateOwned, upsertJob, type JobRow } from './queries.ts'

export interface JobTiming {
  /** How often it is looked for what is due. */
  readonly pollMs: number
  /** So long a chore is its runner's without a sign of life; a third of it between two signs. */
  readonly leaseMs: number
  /** 0 to 1, spreads processes and servers that were started together. */
  random(): number
}

export const usualTiming: JobTiming = { pollMs: 5000, leaseMs: 90_000, random: Math.random }

/** After a failure it is tried again this soon, or as soon as it is due anyway. */
const retryMs = 5 * 60_000

/** Soon after a start, but not all at once. */
const firstMs = 60_000

/** How a run came out. */
export interface Outcome {
  readonly text: string | null
  readonly error: string | null
}

const periodMs = ({ everySeconds }: Chore): number => everySeconds * 1000

/** Between 90 and 110 % of a duration. */
const spread = (ms: number, { random }: JobTiming): number =>
  Math.round(ms * (0.9 + 0.2 * random()))

/** A lease that lies further ahead than any was ever given is from before the clock was set back. */
export const isHeld = (
  { leaseUntil }: Pick<JobRow, 'leaseUntil'>,
  now: number,
  { leaseMs }: JobTiming,
): boolean => leaseUntil !== null && leaseUntil > now && leaseUntil <= now + leaseMs

/** The same holds for the instant of the next run. */
export const isDue = ({ nextRunAt }: JobRow, chore: Chore, now: number): boolean =>
  nextRunAt <= now || nextRunAt > now + Math.max(periodMs(chore) * 1.1, firstMs)

/** Takes and gives back the right to run a chore. */
export function createLeases(db: Database, clock: Clock, timing: JobTiming) {
  /** Of this process. */
  const owner = newId()

  return {
    /** Notes a chore that nobody ever ran. */
    ensure: (chore: Chore): Promise<void> =>
      inTransaction(db, async (tx) => {
        if ((await findJob(tx, chore.name)) !== undefined) return
        const wait = Math.min(periodMs(chore), firstMs) * timing.random()
        await upsertJob(tx, { name: chore.name, nextRunAt: clock.now() + Math.round(wait) })
      }),

    /** Whether the chore is ours now; with `onlyIfDue` not before its time. */
    take: (chore: Chore, onlyIfDue: boolean): Promise<boolean> =>
      inTransaction(db, async (tx) => {
        const now = clock.now()
        const row = await findJob(tx, chore.name)
        if (row !== undefined && isHeld(row, now, timing)) return false
        if (onlyIfDue && (row === undefined || !isDue(row, chore, now))) return false
        const lease = { owner, leaseUntil: now + timing.leaseMs, lastStartedAt: now }
        await upsertJob(tx, { nextRunAt: now, ...row, name: chore.name, ...lease })
        return true
      }),

    /** A sign of life. False when somebody else has taken it over. */
    keep: ({ name }: Chore): Promise<boolean> =>
      inTransaction(db, (tx) =>
        updateOwned(tx, name, owner, { leaseUntil: clock.now() + timing.leaseMs }),
      ),

    /** Notes how it went, unless it is somebody else's by now. */
    give: (chore: Chore, { text, error }: Outcome): Promise<boolean> =>
      inTransaction(db, (tx) => {
        const now = clock.now()
        const wait = error === null ? periodMs(chore) : Math.min(periodMs(chore), retryMs)
        return updateOwned(tx, chore.name, owner, {
          owner: null,
          leaseUntil: null,
          nextRunAt: now + spread(wait, timing),
          lastEndedAt: now,
          lastOutcome: text,
          lastError: error,
        })
      }),
  }
}
