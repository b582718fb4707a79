import { randomUUID } from 'node:crypto'
import type { Clock, Logger } from '../../core/index.ts'
import { beginRequest } from '../request-facts.ts'
import { takeTraffic } from './traffic.ts'
import type { HttpHandler } from './create-server.ts'

/** Longer paths are cut: a line is for reading. */
const maxRoute = 300

/** nginx's status for a client that left before the answer began. */
const clientClosed = 499

/** What is counted of a request. */
export interface RequestEnd {
  readonly method: string
  /** As the client sent it: of nobody's choosing but the client's. */
  readonly path: string
  readonly status: number
  readonly ms: number
  /** Bytes on the connection since the request before it. */
  readonly received: number
  readonly sent: number
}

/**
 * Wraps a handler (the WebDAV one, an Express application) so that every request gets a random id,
 * echoed as `X-Request-Id`, and one log line when it ends. An id that the client sends is ignored:
 * it could repeat another's or carry text. The line never has headers, query or body.
 *
 * @param observe is told of every end.
 * @param clock durations only; monotonic unless a test brings its own.
 */
export function createRequestLog(
  log: Logger,
  observe: (end: RequestEnd) => void = () => undefined,
  clock: Clock = { now: () => performance.now() },
): (handler: HttpHandler) => HttpHandler {
  return (handler) => (req, res) => {
    const startedAt = clock.now()
    const facts = beginRequest(req, randomUUID())
    // Express changes it on its way.
    const target = req.url ?? ''
    res.on('close', () => {
      const method = req.method ?? ''
      const path = pathOf(target)
      const status = res.headersSent ? res.statusCode : clientClosed
      const ms = clock.now() - startedAt
      observe({ method, path, status, ms, ...takeTraffic(req.socket) })
      if (!log.isLevelEnabled('info')) return
      log.info({
        ...facts,
        method,
        route: path.length > maxRoute ? `${path.slice(0, maxRoute)}…` : path,
        status,
        ms: Math.round(ms * 10) / 10,
        ...(res.writableFinished ? {} : { aborted: true }),
      })
    })
    return handler(req, res)
  }
}

/** The path alone: no query, no fragment, and of an absolute-form target no authority. */
const pathOf = (target: string): string =>
  target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
