import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Who runs which chore until when, and how it went the last time. */
export const jobLeases = sqliteTable('job_leases', {
  /** The chore's name, e.g. `expire-tokens`. */
  name: text('name').primaryKey(),
  /** The process that runs it now, and until when nobody else may. */
  owner: text('owner'),
  leaseUntil: integer('lease_until'),
  nextRunAt: integer('next_run_at').notNull(),
  lastStartedAt: integer('last_started_at'),
  lastEndedAt: integer('last_ended_at'),
  /** What it did, in words for the operator. */
  lastOutcome: text('last_outcome'),
  /** Why it failed; null when it went well. */
  lastError: text('last_error'),
})
