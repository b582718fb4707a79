import type { IncomingMessage, ServerResponse } from 'node:http'
import { awaitsContinue } from '../bodies/continue.ts'
import { hasBody } from '../bodies/has-body.ts'

/** How long, and to how much, we listen when a client keeps sending what we refused. */
const lingerMs = 2_000
const lingerBytes = 4 * 1024 * 1024

/** Node reads over an unread body this small by itself, and the connection lives on. */
const smallBytes = 64 * 1024

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
  if (isSmall(req)) {
    cutUnlessSent(req)
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

function isSmall(req: IncomingMessage): boolean {
  const length = Number(req.headers['content-length'] ?? Infinity)
  const untouched = req.readableFlowing === null && !req.readableDidRead
  return untouched && length <= smallBytes && !awaitsContinue(req)
}

/** Who announced a small body has to send it soon, or nothing else on this connection. */
function cutUnlessSent(req: IncomingMessage): void {
  const timer = setTimeout(() => req.socket.destroy(), lingerMs)
  const settled = (): void => clearTimeout(timer)
  req.once('end', settled).once('close', settled)
}

/** Reads on only so that the client can finish writing and see our answer. */
function linger(req: IncomingMessage, done: () => void): void {
  const timer = setTimeout(finish, lingerMs)
  let heard = 0
  function finish(): void {
    clearTimeout(timer)
    req.off('data', drop).off('end', finish).off('close', finish)
    done()
  }
  function drop(chunk: Buffer): void {
    heard += chunk.length
    if (heard > lingerBytes) finish()
  }
  req.on('error', ignore)
  req.on('end', finish).on('close', finish).on('data', drop)
  req.resume()
}

function ignore(): void {
  // The client left; 'close' follows.
}
