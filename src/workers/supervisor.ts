import cluster from 'node:cluster'
import { AppError, type Logger } from '../core/index.ts'
import { configurationVariable, slotVariable } from './colleagues.ts'
import { createDesk } from './desk.ts'
import { insist } from './insist.ts'
import { createMember, isReady, tellMember, type Member, type Setup } from './member.ts'
import { toPrimary } from './messages.ts'
import { createRespawn } from './respawn.ts'

export interface WorkersDeps {
  readonly count: number
  readonly log: Logger
  readonly setup: Setup
  /** Hears the last that a worker told of what it had counted. */
  departed(metrics: unknown): void
  /**
   * Finishes what a dead worker was at, before anybody else gets its turns.
   *
   * @param paths whose turn it had, as paths of this machine.
   */
  settle(runId: string, paths: readonly string[]): Promise<void>
}

/** The running workers, all over one listener. */
export interface Workers {
  /** `host:port` as bound. */
  readonly address: string
  /** Settles when all have ended; rejects when they died at once again and again. */
  readonly ended: Promise<void>
  /** Lets all drain and end. */
  stop(): Promise<void>
  /** What each living worker has counted, as it told within two seconds or the last time. */
  measure(): Promise<unknown[]>
  /** Has all read the configuration again. */
  reload(): void
  /**
   * Replaces one after another: the new one listens before the old one drains.
   *
   * @param setup what new ones are started with, from the first one that serves on.
   */
  roll(setup: Setup): Promise<void>
}

/** Beyond their own time to drain: handlers clean up, and deliveries to peers come to an end. */
const patienceMs = 20_000

/**
 * Starts `count` processes of this very program and keeps their number.
 *
 * @throws AppError `worker_failed` when one of them cannot serve.
 */
export async function startWorkers(deps: WorkersDeps): Promise<Workers> {
  const { count, log } = deps
  const members = new Set<Member>()
  const desk = createDesk(members)
  const respawn = createRespawn()
  const timers = new Set<NodeJS.Timeout>()
  let isStopping = false
  let isRolling = false
  let isUp = false
  let inForce = deps.setup
  let surrender: AppError | undefined
  let allGone = (): void => undefined
  const gone = new Promise<void>((resolve) => (allGone = resolve))
  const ended = gone.then(() => {
    if (surrender) throw surrender
  })
  // Whoever starts the server awaits it, but only after the start.
  ended.catch(() => undefined)

  const hasToStop = (): boolean => isStopping

  const living = (): Member[] => [...members].filter(({ state }) => state !== 'dead')

  function freeSlot(): number {
    const taken = new Set(living().map(({ slot }) => slot))
    let slot = 0
    while (taken.has(slot)) slot += 1
    return slot
  }

  /** Settles when the new one serves, or rejects with the reason why it does not. */
  function start(setup: Setup): Promise<Member> {
    const slot = freeSlot()
    const worker = cluster.fork({
      [slotVariable]: String(slot),
      [configurationVariable]: JSON.stringify(setup.configuration()),
    })
    const member = createMember(worker, slot, setup)
    members.add(member)
    return new Promise((resolve, reject) => {
      worker.on('message', (received: unknown) => {
        const message = toPrimary(received)
        if (message) desk.hear(member, message)
        if (message?.davmesh !== 'ready') return
        member.state = 'ready'
        if (isStopping) dismiss(member)
        resolve(member)
      })
      worker.once('exit', (code, signal) => {
        const how = signal ? `by ${signal}` : `with status ${code}`
        reject(
          new AppError(
            'unavailable',
            'worker_failed',
            member.problem ?? `A worker ended ${how} before it served.`,
          ),
        )
        void buried(member, how)
      })
      worker.on('error', (error) => log.warn({ err: error }, 'a worker cannot be reached'))
    })
  }

  async function buried(member: Member, how: string): Promise<void> {
    const { state, runId, readyAt, worker, problem } = member
    member.state = 'dead'
    if (member.metrics !== undefined) deps.departed(member.metrics)
    const paths = desk.heldBy(member)
    if (state !== 'stopping' && isUp) {
      log.error({ pid: worker.process.pid, problem }, `a worker died ${how}`)
      replaceLater(readyAt === undefined ? 0 : performance.now() - readyAt)
    }
    if (runId !== undefined) {
      await insist(() => deps.settle(runId, paths), { log, isOver: hasToStop })
    }
    desk.free(member)
    members.delete(member)
    if (isStopping && members.size === 0) allGone()
  }

  function replaceLater(livedMs: number): void {
    if (isStopping) return
    const delay = respawn.afterDeath(livedMs, living().some(isReady))
    if (delay === 'give_up') {
      const message = 'Workers die as soon as they serve; the log says why.'
      log.fatal(message)
      surrender = new AppError('unavailable', 'worker_failed', message)
      void stop()
      return
    }
    later(delay, replace)
  }

  function replace(): void {
    const alive = [...members].filter(({ state }) => state === 'starting' || state === 'ready')
    if (isStopping || alive.length >= count) return
    start(inForce).then(
      ({ worker }) => log.info({ pid: worker.process.pid }, 'a worker was replaced'),
      // Its death is counted where it is seen.
      () => undefined,
    )
  }

  function later(delayMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
    }, delayMs)
    timers.add(timer)
  }

  /** Lets one drain, and kills it when it takes too long. */
  function dismiss(member: Member): void {
    const { worker, state, setup } = member
    if (state === 'stopping' || state === 'dead') return
    member.state = 'stopping'
    // Who does not serve yet has nothing to drain.
    if (state === 'starting') worker.process.kill('SIGKILL')
    tellMember(member, { davmesh: 'stop' })
    const timer = setTimeout(
      () => worker.process.kill('SIGKILL'),
      setup.drainMs + patienceMs,
    ).unref()
    worker.once('exit', () => clearTimeout(timer))
  }

  async function stop(): Promise<void> {
    isStopping = true
    for (const timer of timers) clearTimeout(timer)
    for (const member of members) dismiss(member)
    if (members.size === 0) allGone()
    await gone
  }

  async function roll(setup: Setup): Promise<void> {
    const old = living()
    if (isRolling || isStopping || !old.every(isReady)) {
      log.warn('workers are being replaced already')
      return
    }
    isRolling = true
    try {
      for (const member of old) {
        await start(setup)
        inForce = setup
        if (hasToStop()) return
        dismiss(member)
      }
      log.info('all workers were replaced')
    } catch (error) {
      log.error({ err: error }, 'a new worker cannot serve; the old ones go on')
      replace()
    } finally {
      isRolling = false
    }
  }

  try {
    const first = await Promise.all(Array.from({ length: count }, () => start(inForce)))
    isUp = true
    return {
      address: first[0]?.address ?? '',
      ended,
      stop,
      async measure() {
        await desk.measure()
        return living().flatMap(({ metrics }) => (metrics === undefined ? [] : [metrics]))
      },
      reload: () => {
        for (const member of members) tellMember(member, { davmesh: 'reload' })
      },
      roll,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
