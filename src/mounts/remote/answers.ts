import { FileError, type FileErrorCode } from '../../files/index.ts'
import type { OutboundStreamResponse } from '../../http/index.ts'
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

const unreachable = (retryAfterSeconds: number, detail: Record<string, unknown>): MountError =>
  new MountError('sender_unreachable', 'The server that shares this cannot answer now.', {
    retryAfterSeconds,
    detail,
  })

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

const defaultRetrySeconds = 10
const maxRetrySeconds = 3600

/** What a status means that is no success; `special` knows better what the method makes of it. */
export function failureOf(
  status: number,
  headers: Answer['headers'] = {},
  special: Readonly<Record<number, FileErrorCode>> = {},
): FileError | MountError {
  const detail = { status }
  const code = special[status] ?? codes[status]
  if (code !== undefined) return new FileError(code, { detail })
  const asked = Number(headers['retry-after'] ?? NaN)
  const wait = asked >= 1 ? Math.min(Math.ceil(asked), maxRetrySeconds) : defaultRetrySeconds
  const isTooMuch = status === 408 || status === 425 || status === 429
  if (isTooMuch || (status >= 500 && status <= 599)) return unreachable(wait, detail)
  return garbled(new Error(`the status was ${status}`))
}

/** Discards the answer and says what it means. */
export function refusal(
  answer: Answer,
  special?: Readonly<Record<number, FileErrorCode>>,
): FileError | MountError {
  discard(answer)
  return failureOf(answer.status, answer.headers, special)
}
