import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** How long a refused client may take to read our answer. */
const lingerMs = 1_000

const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/**
 * Answers what Node could not parse or waited for in vain, then closes (RFC 9112 §9.6).
 *
 * @param answering an answer is already on its way on this socket, so another would corrupt it.
 */
export function answerClientError(error: Error, socket: Duplex, answering: boolean): void {
  const code = 'code' in error ? String(error.code) : ''
  if (answering || code === 'ECONNRESET' || socket.destroyed) {
    socket.destroy()
    return
  }
  // The bytes that follow a malformed request raise this again; the first answer stands.
  if (socket.writableEnded) return
  socket.end(rawAnswer(isUnknownVerb(error) ? 501 : (statuses[code] ?? 400)), 'latin1')
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}

/** A well-formed request whose verb Node does not know (RFC 9110 §9.1). */
const isUnknownVerb = (error: Error): boolean =>
  'code' in error &&
  error.code === 'HPE_INVALID_METHOD' &&
  'rawPacket' in error &&
  Buffer.isBuffer(error.rawPacket) &&
  /^[A-Z-]{1,40} \S+ HTTP\/1\.[01]\r\n/.test(error.rawPacket.subarray(0, 4096).toString('latin1'))

/** We are no tunnel (RFC 9110 §9.3.6). */
export function refuseConnect(socket: Duplex): void {
  socket.on('error', () => socket.destroy())
  socket.end(rawAnswer(501), 'latin1')
}

function rawAnswer(status: number): string {
  const reason = STATUS_CODES[status] ?? 'Bad Request'
  const body = JSON.stringify({ message: reason })
  return [
    `HTTP/1.1 ${status} ${reason}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}
