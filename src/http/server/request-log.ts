import { randomUUID } from 'node:crypto'
import type { Clock, Logger } from '../../core/index.ts'
import { beginRequest } from '../request-facts.ts'
import type { HttpHandler } from './create-server.ts'

/** Longer paths are cut: a line is for reading. */
const maxRoute = 300

/** nginx's status for a client that left before the answer began. */
const clientClosed = 499

/**
 * Wraps a handler (the WebDAV one, an Express application) so that every request gets a random id,
 * echoed as `X-Request-Id`, and one log line when it ends. An id that the client sends is ignored:
 * it could repeat another's or carry text. The line never has headers, query or body.
 *
 * @param clock durations only; monotonic unless a test brings its own.
 */
export function createRequestLog(
  log: Logger,
  clock: Clock = { now: () => performance.now() },
): (handler: HttpHandler) => HttpHandler {
  return (handler) => (req, res) => {
    const startedAt = clock.now()
    const facts = beginRequest(req, randomUUID())
    // Express changes it on its way.
    const target = req.url ?? ''
    res.on('close', () => {
      if (!log.isLevelEnabled('info')) return
      log.info({
        ...facts,
        method: req.method,
        route: routeOf(target),
        status: res.headersSent ? res.statusCode : clientClosed,
        ms: Math.round((clock.now() - startedAt) * 10) / 10,
        ...(res.writableFinished ? {} : { aborted: true }),
      })
    })
    return handler(req, res)
  }
}

/** The path alone: no query, no fragment, and of an absolute-form target no authority. */
function routeOf(target: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
  return path.length > maxRoute ? `${path.slice(0, maxRoute)}…` : path
}
