import type { IncomingMessage, ServerResponse } from 'node:http'
import { awaitsContinue } from '../bodies/continue.ts'

/** How long we listen to a client that keeps sending what we refused. */
const lingerMs = 2_000

const hasBody = (req: IncomingMessage): boolean =>
  req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0

/**
 * Ends a response whose request body may not have been read.
 *
 * Closing a socket with unread input makes the kernel send RST, and the client may then lose the
 * answer (RFC 9112 §9.6). So the answer goes out whole, with its length, the rest of the body is
 * read and dropped for a moment, and only then the connection closes.
 */
export function endResponse(res: ServerResponse, body: string | Buffer): void {
  const { req } = res
  const unread = !req.complete && !req.destroyed && hasBody(req)
  if (res.headersSent || !unread) {
    res.end(body)
    return
  }
  res.setHeader('Connection', 'close')
  if (awaitsContinue(req)) {
    res.end(body)
    return
  }
  res.setHeader('Content-Length', Buffer.byteLength(body))
  res.flushHeaders()
  res.write(body)
  linger(req, () => res.end())
}

function linger(req: IncomingMessage, done: () => void): void {
  const timer = setTimeout(finish, lingerMs)
  function finish(): void {
    clearTimeout(timer)
    req.off('data', drop).off('end', finish).off('close', finish)
    done()
  }
  req.on('error', ignore)
  req.on('end', finish).on('close', finish).on('data', drop)
  req.resume()
}

function drop(): void {
  // Read only so that the client can finish writing and see our answer.
}

function ignore(): void {
  // The client left; 'close' follows.
}
