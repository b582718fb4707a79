import { AppError } from '../../core/index.ts'
import { HttpError, type HttpErrorCode } from '../errors.ts'

/** What Express, its router and body parsers mean, in our words; their messages quote input. */
const foreign: Readonly<Record<number, readonly [HttpErrorCode, string]>> = {
  408: ['body_timeout', 'The request took too long'],
  413: ['body_too_large', 'The request is too large'],
  415: ['unsupported_media_type', 'The media type, charset or coding is not supported'],
}

/** How Node says that the other side went away. */
const goneCodes = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE'])

const member = (error: object, name: string): unknown => (error as Record<string, unknown>)[name]

/**
 * Every thrown thing as an `AppError`. Only what says it is the client's fault (`status` 4xx, or a
 * connection that is gone) is; a bare `TypeError` never becomes a 400.
 *
 * @param clientGone the connection of this request is closed.
 */
export function asAppError(error: unknown, clientGone = false): AppError {
  if (error instanceof AppError) return error as AppError
  if (typeof error === 'object' && error !== null) {
    if (clientGone && goneCodes.has(String(member(error, 'code')))) {
      return new HttpError('request_aborted', 'The request ended early')
    }
    const status = member(error, 'status')
    if (typeof status === 'number' && status >= 400 && status < 500) {
      const [code, message] = foreign[status] ?? ['bad_request', 'The request is malformed']
      return new HttpError(code, message, { detail: { status } })
    }
  }
  return new AppError('internal', 'internal_error', 'Internal error', { cause: error })
}
