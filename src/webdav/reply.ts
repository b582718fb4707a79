import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DavError } from './errors.ts'
import { escapeXml, xmlDeclaration, xmlType } from './xml/writer.ts'

/** An unread body up to this is read over, so that the connection lives on. */
const smallBodyBytes = 64 * 1024

/** How much, and for how long, we listen to a body that we have already refused. */
const lingerBytes = 4 * 1024 * 1024
const lingerMs = 1000

/** RFC 9112 §6.3: whether a body follows the head of this request. */
export const hasBody = (req: IncomingMessage): boolean =>
  req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0

/** Node marks what it has sent; a server without a `checkContinue` listener sends it by itself. */
const wasContinued = (res: ServerResponse): boolean => Reflect.get(res, '_sent100') === true

const waitsForContinue = (req: IncomingMessage, res: ServerResponse): boolean =>
  req.headers.expect?.toLowerCase() === '100-continue' && !wasContinued(res)

/** RFC 9110 §10.1.1: asks for the body, once every check that needs no body has passed. */
export function askForBody(req: IncomingMessage, res: ServerResponse): void {
  if (waitsForContinue(req, res)) res.writeContinue()
}

/** The body, for reading; giving up on it leaves the connection to answer on. */
export const bodyOf = (req: IncomingMessage): AsyncIterable<Uint8Array> =>
  req.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>

export function sendEmpty(
  res: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  // RFC 9110 §8.6: 204 has no Content-Length.
  res.writeHead(status, status === 204 ? headers : { ...headers, 'Content-Length': 0 })
  res.end()
}

/** Answers with a small `DAV:error` (RFC 4918 §14.6) and disposes of an unread request body. */
export function sendError(req: IncomingMessage, res: ServerResponse, error: DavError): void {
  if (res.headersSent) {
    // Too late to say so: a cut connection is the only honest answer.
    res.destroy()
    return
  }
  const content = error.element === undefined ? escapeXml(error.message) : `<${error.element}/>`
  const body = Buffer.from(`${xmlDeclaration}<D:error xmlns:D="DAV:">${content}</D:error>\n`)
  for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value)
  res.setHeader('Content-Type', xmlType)
  res.setHeader('Content-Length', body.length)
  res.statusCode = error.status
  if (!hasBody(req) || req.complete || isSmall(req, res)) {
    res.end(body)
    return
  }
  res.setHeader('Connection', 'close')
  if (waitsForContinue(req, res)) res.end(body)
  else linger(req, res, body)
}

/** Whether node will have read over the body before the client sends its next request. */
function isSmall(req: IncomingMessage, res: ServerResponse): boolean {
  const length = req.headers['content-length']
  const untouched = req.readableFlowing === null && !req.readableDidRead
  return (
    untouched &&
    length !== undefined &&
    Number(length) <= smallBodyBytes &&
    !waitsForContinue(req, res)
  )
}

/**
 * Sends the answer, then listens on for a moment: closing over unread bytes would reset the
 * connection, and a client that is still sending might never see why.
 */
function linger(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
  res.flushHeaders()
  res.write(body)
  let heard = 0
  const finish = (): void => {
    clearTimeout(timer)
    req.off('data', count)
    res.end()
  }
  const count = (chunk: Buffer): void => {
    heard += chunk.length
    if (heard > lingerBytes) finish()
  }
  const timer = setTimeout(finish, lingerMs)
  req.on('data', count).once('end', finish).once('close', finish)
}
