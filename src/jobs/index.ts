/** jobs: named, idempotent chores on a clock, one runner at a time across processes. */
export type { Chore } from './chore.ts'
export { createJobs, type Job, type Jobs, type JobsDeps, type JobTiming } from './jobs.ts'
