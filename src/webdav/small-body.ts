import type { IncomingMessage } from 'node:http'
import { AppError } from '../core/index.ts'
import { readBody } from '../http/index.ts'
import { DavError, tooLarge } from './errors.ts'
import type { Settings } from './exchange.ts'

/**
 * A body that, unlike an upload, has to come at once: XML, or nothing at all.
 *
 * @throws DavError 413, or 408 (RFC 9110 §15.5.9) for who keeps us waiting.
 */
export async function readSmallBody(
  req: IncomingMessage,
  maxBytes: number,
  { smallBodyTimes }: Settings,
): Promise<Buffer> {
  try {
    return await readBody(req, { maxBytes, ...smallBodyTimes })
  } catch (cause) {
    if (!(cause instanceof AppError)) throw cause
    if (cause.code === 'body_too_large') throw tooLarge()
    if (cause.code !== 'body_timeout') throw cause
    throw new DavError(408, 'The request body took too long to arrive.', { cause })
  }
}
