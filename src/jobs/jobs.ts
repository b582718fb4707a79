import type { Clock, Logger } from '../core/index.ts'
import type { Database } from '../db/index.ts'
import type { Chore } from './chore.ts'
import { JobError } from './errors.ts'
import { createLeases, isHeld, usualTiming, type JobTiming, type Outcome } from './lease.ts'
import { selectJobs } from './queries.ts'

export type { JobTiming } from './lease.ts'

export interface JobsDeps {
  readonly db: Database
  readonly clock: Clock
  readonly log: Logger
  readonly chores: readonly Chore[]
  readonly timing?: Partial<JobTiming>
}

/** A chore and how it goes; instants in epoch milliseconds. */
export interface Job {
  readonly name: string
  readonly everySeconds: number
  readonly state: 'waiting' | 'running'
  /** Null before any server has run. */
  readonly nextRunAt: number | null
  readonly lastStartedAt: number | null
  readonly lastEndedAt: number | null
  readonly lastOutcome: string | null
  readonly lastError: string | null
}

export type Jobs = ReturnType<typeof createJobs>

/** Runs chores when they are due: each by one process at a time, whoever of them comes first. */
export function createJobs({ db, clock, log, chores, timing: given }: JobsDeps) {
  const timing = { ...usualTiming, ...given }
  const leases = createLeases(db, clock, timing)
  const running = new Map<string, Promise<Outcome | undefined>>()
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined

  /** Never throws: a chore that fails is told, and tried again. */
  async function carryOut(chore: Chore): Promise<Outcome> {
    const lost = new AbortController()
    const heart = setInterval(() => {
      // A busy database says nothing about who holds it: the next beat, or the lease's end, will.
      void leases.keep(chore).then(
        (isOurs) => isOurs || lost.abort(),
        () => undefined,
      )
    }, timing.leaseMs / 3).unref()
    let outcome: Outcome
    try {
      const text = await chore.run(AbortSignal.any([stopping.signal, lost.signal]))
      outcome = { text: text ?? null, error: null }
    } catch (error) {
      log.error({ job: chore.name, err: error }, 'a chore failed; it is tried again')
      outcome = { text: null, error: error instanceof Error ? error.message : String(error) }
    } finally {
      clearInterval(heart)
    }
    await leases.give(chore, outcome)
    if (outcome.text !== null) log.info({ job: chore.name, outcome: outcome.text }, 'chore done')
    return outcome
  }

  /** Undefined when it is not its time, or another process is at it. */
  async function tryChore(chore: Chore, onlyIfDue: boolean): Promise<Outcome | undefined> {
    return (await leases.take(chore, onlyIfDue)) ? carryOut(chore) : undefined
  }

  function begin(chore: Chore, onlyIfDue: boolean): Promise<Outcome | undefined> {
    const begun = tryChore(chore, onlyIfDue).finally(() => running.delete(chore.name))
    running.set(chore.name, begun)
    return begun
  }

  async function look(): Promise<void> {
    const idle = chores.filter(({ name }) => !running.has(name))
    await Promise.allSettled(idle.map(leases.ensure))
    for (const chore of idle) {
      // What failed here is the database, which others tell of; the chore is due as before.
      if (!stopping.signal.aborted) begin(chore, true).catch(() => undefined)
    }
  }

  function plan(): void {
    if (stopping.signal.aborted) return
    timer = setTimeout(() => void look().finally(plan), timing.pollMs).unref()
  }

  return {
    /** Runs what is due, from now on. */
    start: plan,

    /** Lets what runs come to an end, soon. */
    async stop(): Promise<void> {
      stopping.abort()
      clearTimeout(timer)
      await Promise.allSettled(running.values())
    },

    /** Runs everything that is due now, once. */
    async runDue(): Promise<void> {
      await look()
      await Promise.all(running.values())
    },

    /**
     * Runs a chore whether it is due or not.
     *
     * @throws JobError `job_not_found`, `job_running`.
     */
    async run(name: string): Promise<Outcome> {
      const chore = chores.find((one) => one.name === name)
      if (chore === undefined) {
        const message = `There is no chore "${name}"; "davmesh jobs list" shows them.`
        throw new JobError('job_not_found', message)
      }
      const outcome = running.has(name) ? undefined : await begin(chore, false)
      if (outcome !== undefined) return outcome
      throw new JobError('job_running', `${name} is running already.`)
    },

    /** Every chore, in the order they were named. */
    async list(): Promise<Job[]> {
      const rows = new Map((await selectJobs(db)).map((row) => [row.name, row]))
      return chores.map(({ name, everySeconds }) => {
        const row = rows.get(name)
        const isRunning = row !== undefined && isHeld(row, clock.now(), timing)
        return {
          name,
          everySeconds,
          state: isRunning ? 'running' : 'waiting',
          nextRunAt: row?.nextRunAt ?? null,
          lastStartedAt: row?.lastStartedAt ?? null,
          lastEndedAt: row?.lastEndedAt ?? null,
          lastOutcome: row?.lastOutcome ?? null,
          lastError: row?.lastError ?? null,
        }
      })
    },
  }
}
