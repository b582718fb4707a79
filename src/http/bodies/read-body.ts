import type { IncomingMessage } from 'node:http'
import { HttpError } from '../errors.ts'
import { sendContinue } from './continue.ts'

/** Limits of one small body. */
export interface BodyLimits {
  readonly maxBytes: number
  /** Longest silence between two chunks; default 10 s. */
  readonly idleMs?: number
  /** Longest time for the whole body, so that one byte a second ends too; default 30 s. */
  readonly totalMs?: number
}

/**
 * The raw bytes of a body, before any decoding: digests and signatures are computed over them
 * (RFC 9530 §2). Meant for JSON, forms and XML; uploads stream.
 *
 * @throws HttpError `body_too_large`, `unsupported_content_coding`, `unsupported_transfer_coding`,
 *   `body_timeout`, `request_aborted`.
 */
export async function readBody(req: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  refuseCodings(req)
  const declared = req.headers['content-length']
  if (declared !== undefined && Number(declared) > limits.maxBytes) throw tooLarge(limits.maxBytes)
  if (req.destroyed && !req.readableEnded) throw aborted()
  if (req.readableEnded) throw new Error('The body of this request was read before')
  sendContinue(req)
  return collect(req, limits)
}

function refuseCodings({ headers }: IncomingMessage): void {
  const coding = headers['content-encoding']?.trim().toLowerCase()
  if (coding !== undefined && coding !== '' && coding !== 'identity') {
    throw new HttpError('unsupported_content_coding', 'Content-Encoding is not supported here')
  }
  const transfer = headers['transfer-encoding']?.trim().toLowerCase()
  // RFC 9112 §6.1: a transfer coding we do not understand is 501.
  if (transfer !== undefined && transfer !== 'chunked') {
    throw new HttpError('unsupported_transfer_coding', 'Only chunked transfer coding is supported')
  }
}

function collect(req: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const idle = setTimeout(() => fail(tooSlow()), limits.idleMs ?? 10_000)
    const total = setTimeout(() => fail(tooSlow()), limits.totalMs ?? 30_000)

    function settle(): void {
      clearTimeout(idle)
      clearTimeout(total)
      req.off('data', take).off('end', finish).off('close', leave)
    }
    function fail(error: HttpError): void {
      settle()
      req.pause()
      reject(error)
    }
    function take(chunk: Buffer): void {
      size += chunk.length
      if (size > limits.maxBytes) {
        fail(tooLarge(limits.maxBytes))
        return
      }
      chunks.push(chunk)
      idle.refresh()
    }
    function finish(): void {
      settle()
      resolve(
        chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size),
      )
    }
    const leave = (): void => fail(aborted())

    // Stays for the life of the request: 'error' without a listener ends the process.
    req.on('error', ignore)
    req.on('data', take).on('end', finish).on('close', leave)
  })
}

function ignore(): void {
  // 'close' follows and rejects.
}

const tooLarge = (maxBytes: number): HttpError =>
  new HttpError('body_too_large', `The body is larger than ${maxBytes} bytes`)
const tooSlow = (): HttpError => new HttpError('body_timeout', 'The body took too long to arrive')
const aborted = (): HttpError => new HttpError('request_aborted', 'The request ended early')
