import { OutboundError } from '../../http/index.ts'

/** How long somebody waits for the head of an answer, whatever has to be asked for it first. */
export interface Deadline {
  /** Of the deadline, and of whoever waits. */
  readonly signal: AbortSignal
  /** What is waited for goes on without us. @throws OutboundError `timeout`; the caller's reason. */
  race<T>(work: Promise<T>): Promise<T>
  /** The caller alone decides from now on. */
  lift(): void
}

export function createDeadline(ms: number, host: string, caller?: AbortSignal): Deadline {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new OutboundError('timeout', host)), ms)
  const signal = caller === undefined ? late.signal : AbortSignal.any([caller, late.signal])
  return {
    signal,
    race: (work) =>
      new Promise((resolve, reject) => {
        const giveUp = (): void => reject(signal.reason as Error)
        if (signal.aborted) giveUp()
        signal.addEventListener('abort', giveUp, { once: true })
        work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
      }),
    lift: () => clearTimeout(timer),
  }
}
