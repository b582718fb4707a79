import { FileError, type FileErrorCode } from '../../files/index.ts'
import { OutboundError, type OutboundStreamResponse } from '../../http/index.ts'
import { MountError } from '../errors.ts'

export type Answer = OutboundStreamResponse

/** What is not worth reading to its end only to keep a connection. */
const maxDiscarded = 64 * 1024

const discardMs = 2000

/** Ends an answer whose body says nothing to us. */
export function discard({ body, headers }: Answer): void {
  body.on('error', () => undefined)
  if (!(Number(headers['content-length']) <= maxDiscarded)) {
    body.destroy()
    return
  }
  const timer = setTimeout(() => body.destroy(), discardMs).unref()
  body.once('close', () => clearTimeout(timer)).resume()
}

export const garbled = (cause?: unknown): MountError =>
  new MountError(
    'sender_garbled',
    'The server that shares this answered with something we do not understand.',
    { cause },
  )

const defaultRetrySeconds = 10
const maxRetrySeconds = 3600

export const unreachable = (cause: Error, retryAfterSeconds = defaultRetrySeconds): MountError =>
  new MountError('sender_unreachable', 'The server that shares this cannot answer now.', {
    retryAfterSeconds,
    cause,
  })

const interrupted = new Set(['timeout', 'reset', 'client_closed', 'reader_stalled'])

/** What it means that a body broke off. */
export function bodyFailure(error: unknown): unknown {
  if (!(error instanceof OutboundError)) return error
  return interrupted.has(error.code) ? unreachable(error) : garbled(error)
}

const codes: Readonly<Record<number, FileErrorCode>> = {
  400: 'forbidden_name',
  403: 'access_denied',
  404: 'not_found',
  405: 'access_denied',
  409: 'parent_missing',
  410: 'not_found',
  412: 'changed',
  413: 'too_large',
  414: 'forbidden_name',
  415: 'access_denied',
  423: 'locked',
  501: 'access_denied',
  507: 'no_space',
}

/** What a status means that is no success; `special` knows better what the method makes of it. */
export function failureOf(
  status: number,
  headers: Answer['headers'] = {},
  special: Readonly<Record<number, FileErrorCode>> = {},
): FileError | MountError {
  const code = special[status] ?? codes[status]
  if (code !== undefined) return new FileError(code, { detail: { status } })
  const asked = Number(headers['retry-after'] ?? NaN)
  const wait = asked >= 1 ? Math.min(Math.ceil(asked), maxRetrySeconds) : defaultRetrySeconds
  const isTooMuch = status === 408 || status === 425 || status === 429
  const cause = new Error(`the status was ${status}`)
  return isTooMuch || (status >= 500 && status <= 599) ? unreachable(cause, wait) : garbled(cause)
}

/** Discards the answer and says what it means. */
export function refusal(
  answer: Answer,
  special?: Readonly<Record<number, FileErrorCode>>,
): FileError | MountError {
  discard(answer)
  return failureOf(answer.status, answer.headers, special)
}
