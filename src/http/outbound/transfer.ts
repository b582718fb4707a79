import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { asOutboundError } from './errors.ts'

/** The head of an answer, and its body to come. */
export interface Transfer {
  readonly statusCode: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Readable
}

/** What waits between socket and reader; each running download has this much in memory. */
const bodyHighWaterMark = 128 * 1024

/**
 * One exchange whose body fails in our words, and stops the socket while nobody reads. Destroying the
 * body, or aborting, closes the connection.
 */
export function transfer(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
  host: string,
): Promise<Transfer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    let body: Readable | undefined
    let isOver = false
    const abort = (): void => {
      // Until it has its turn there is nothing to abort, but nobody waits for that.
      reject(signal.reason as Error)
      controller?.abort(signal.reason as Error)
    }
    const settle = (): void => {
      isOver = true
      signal.removeEventListener('abort', abort)
    }
    signal.addEventListener('abort', abort, { once: true })
    dispatcher.dispatch(options, {
      onRequestStart(given) {
        controller = given
        if (signal.aborted) given.abort(signal.reason as Error)
      },
      onResponseStart(given, statusCode, headers) {
        // RFC 9110 §15.2
        if (statusCode < 200) return
        body = new Readable({
          highWaterMark: bodyHighWaterMark,
          read: () => given.resume(),
          destroy(error, done) {
            if (!isOver) given.abort(error ?? new Error('nobody reads the answer any more'))
            done(error)
          },
        })
        // It may fail before anybody reads it, who then is told; until then it is no event for a process.
        body.on('error', () => undefined)
        resolve({ statusCode, headers, body })
      },
      onResponseData(given, chunk) {
        if (body?.push(chunk) === false) given.pause()
      },
      onResponseEnd() {
        settle()
        body?.push(null)
      },
      onResponseError(_given, thrown) {
        settle()
        const error = asOutboundError(thrown, host) as Error
        if (body) body.destroy(error)
        else reject(error)
      },
    })
  })
}
