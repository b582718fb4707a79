import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { asOutboundError, OutboundError } from './errors.ts'
import { pourBody, type Pour } from './pour.ts'
import type { Silence } from './silence.ts'

/** The head of an answer, and its body to come. */
export interface Transfer {
  readonly statusCode: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Readable
  /** The body by other means; see `OutboundStreamResponse`. */
  readonly pour: Pour | undefined
}

/** What dispatchers that know their connection are told where to say it. */
export interface TransferOptions extends Dispatcher.DispatchOptions {
  onLine?: (connection: () => Socket | undefined) => void
}

/** What waits between socket and reader; each running download has this much in memory. */
const bodyHighWaterMark = 128 * 1024

/**
 * One exchange whose body fails in our words, and stops the socket while nobody reads. Destroying the
 * body, or aborting, closes the connection; `silence` is watched while it is the peer's turn.
 */
export function transfer(
  dispatcher: Dispatcher,
  options: TransferOptions,
  { signal, host, silence }: { signal: AbortSignal; host: string; silence: Silence },
): Promise<Transfer> {
  if (signal.aborted) return Promise.reject(signal.reason as Error)
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    let connection: (() => Socket | undefined) | undefined
    let body: Readable | undefined
    let isOver = false
    const abort = (): void => {
      const reason = signal.reason as Error
      const isLate = reason instanceof OutboundError && reason.code === 'timeout'
      // Until it has its turn there is nothing to abort, but nobody waits for that. Nor did the peer
      // keep anybody waiting who has no line to it yet.
      reject(isLate && !connection ? new OutboundError('no_connection', host) : reason)
      controller?.abort(reason)
    }
    const settle = (): void => {
      isOver = true
      silence.end()
      signal.removeEventListener('abort', abort)
    }
    signal.addEventListener('abort', abort, { once: true })
    const told = { ...options, onLine: (given: typeof connection) => void (connection = given) }
    dispatcher.dispatch(told, {
      onRequestStart(given) {
        controller = given
        if (signal.aborted) given.abort(signal.reason as Error)
      },
      onResponseStart(given, statusCode, headers) {
        // RFC 9110 §15.2
        if (statusCode < 200) return
        const incoming = new Readable({
          highWaterMark: bodyHighWaterMark,
          read() {
            if (!isOver) silence.wait()
            given.resume()
          },
          destroy(error, done) {
            if (!isOver) given.abort(error ?? new Error('nobody reads the answer any more'))
            done(error)
          },
        })
        body = incoming
        // It may fail before anybody reads it, who then is told; until then it is no event for a process.
        incoming.on('error', () => undefined)
        const socket = connection?.()
        const length = statusCode === 200 || statusCode === 206 ? lengthOf(headers) : NaN
        const pour =
          socket && pourBody({ body: incoming, socket, length, silence, controller: given })
        resolve({ statusCode, headers, body, pour })
      },
      onResponseData(given, chunk) {
        if (body?.push(chunk) !== false) return
        silence.stop()
        given.pause()
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

/** RFC 9112 §6.3: a coding is what counts, if there are both. */
const lengthOf = (headers: Transfer['headers']): number =>
  headers['transfer-encoding'] === undefined ? Number(headers['content-length']) : NaN
