import { AppError } from './errors.ts'
import type { Logger } from './log.ts'

/** Where a test can hurt this process: between two steps that a crash must not tear apart. */
export const faultPoints = [
  'put.opened',
  'put.written',
  'put.placing',
  'put.checked',
  'put.placed',
  'copy.copied',
  'copy.built',
  'place.placing',
  'place.linked',
  'place.set-aside',
  'place.replaced',
  'place.placed',
  'remove.removing',
  'remove.hidden',
  'remove.removed',
  'change.noted',
  'change.done',
  'change.settled',
  'exchange.signed',
  'exchange.committed',
  'share.committed',
  'revocation.committed',
  'received.committed',
  'answer.committed',
  'notification.committed',
  'invite.committed',
  'invite.answered',
  'reshare.committed',
  'access.leased',
  'access.exchanged',
  'access.kept',
  'outbox.looking',
  'outbox.claimed',
  'outbox.posted',
  'outbox.settled',
  'secret.staged',
  'secret.resealing',
  'secret.resealed',
  'secret.replaced',
  'migration.copied',
  'migration.statement',
] as const

export type FaultPoint = (typeof faultPoints)[number]

type Strike = () => Promise<void> | undefined

/** Of the process, as the environment variable is; nothing else in here outlives a call. */
let armed: ((point: FaultPoint) => Promise<void> | undefined) | undefined

/** Tells that the work has come this far. Nothing happens unless a fault is armed for the point. */
export const reach = (point: FaultPoint): Promise<void> | undefined => armed?.(point)

/**
 * Arms one fault, `point[@n]:action`: at the point, or only the n-th time it is reached, `kill`
 * this process as a power cut would, fail with `enospc`, `eio` or an unexpected `throw`, or
 * `sleep=ms`. For tests alone: whoever calls this makes sure that nobody else gets here.
 *
 * @throws AppError `unknown_fault`.
 */
export function armFault(text: string, log: Logger): void {
  const [, name, nth, action = ''] = /^([a-z.-]+)(?:@(\d+))?:(.+)$/.exec(text) ?? []
  const point = faultPoints.find((known) => known === name)
  const strike = strikeOf(action)
  if (!point || !strike) {
    const message = `FAULT=${text} is not point[@n]:action. Points: ${faultPoints.join(' ')}.`
    throw new AppError('invalid', 'unknown_fault', message)
  }
  log.warn({ fault: text }, 'FAULT: this process will fail on purpose; never serve real files')
  let count = 0
  armed = (reached) => {
    if (reached !== point) return undefined
    count += 1
    return nth === undefined || count === Number(nth) ? strike() : undefined
  }
}

function strikeOf(action: string): Strike | undefined {
  const [, ms] = /^sleep=(\d{1,6})$/.exec(action) ?? []
  if (ms !== undefined) return () => new Promise((resolve) => void setTimeout(resolve, Number(ms)))
  switch (action) {
    case 'kill':
      return () => {
        process.kill(process.pid, 'SIGKILL')
        return undefined
      }
    case 'enospc':
    case 'eio':
      return () =>
        fail(Object.assign(new Error(`fault: ${action}`), { code: action.toUpperCase() }))
    case 'throw':
      return () => fail(new Error('fault: thrown'))
    default:
      return undefined
  }
}

function fail(error: Error): never {
  throw error
}
