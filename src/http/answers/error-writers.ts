import type { ServerResponse } from 'node:http'
import type { AppError, ErrorKind } from '../../core/index.ts'
import { ValidationError } from '../errors.ts'
import { requestIdOf } from '../request-facts.ts'
import { statusOf } from '../status.ts'
import { asAppError } from './as-app-error.ts'
import { endResponse } from './end-response.ts'
import { oauthErrorSchema, type OAuthError, type OcmError } from './error-bodies.ts'

/** Writes one failure in one dialect; never throws, also when headers are already out. */
export type ErrorWriter = (res: ServerResponse, error: unknown) => void

type OAuthCode = OAuthError['error']

const isOAuthCode = (code: string): code is OAuthCode =>
  oauthErrorSchema.shape.error.safeParse(code).success

const oauthByKind: Partial<Record<ErrorKind, OAuthCode>> = {
  unauthenticated: 'invalid_client',
  forbidden: 'unauthorized_client',
  internal: 'server_error',
  unsupported: 'server_error',
  no_space: 'server_error',
  too_many: 'temporarily_unavailable',
  upstream: 'temporarily_unavailable',
  unavailable: 'temporarily_unavailable',
}

/** What a half-built success may have set and a failure must not repeat. */
const staleHeaders = [
  'Content-Encoding',
  'Content-Disposition',
  'Content-Range',
  'ETag',
  'Last-Modified',
  'Transfer-Encoding',
]

/** What strangers may read: an internal failure is a constant and the id under which we logged it. */
export function publicMessage(res: ServerResponse, error: AppError): string {
  if (error.kind !== 'internal') return error.message
  const id = requestIdOf(res.req)
  return id === undefined ? 'Internal error' : `Internal error (request ${id})`
}

/** OCM's dialect: `{message, validationErrors?: [{name, message}]}`. */
export const writeOcmError: ErrorWriter = (res, thrown) => {
  const error = asAppError(thrown, res.destroyed)
  const message = publicMessage(res, error)
  const validationErrors =
    error instanceof ValidationError ? { validationErrors: error.issues } : {}
  writeJson(res, error, { message, ...validationErrors } satisfies OcmError)
}

/** The token endpoint's dialect (RFC 6749 §5.2): `{error, error_description}`, never cached. */
export const writeOAuthError: ErrorWriter = (res, thrown) => {
  const error = asAppError(thrown, res.destroyed)
  if (!res.headersSent) {
    res.setHeader('Cache-Control', 'no-store')
    res.setHeader('Pragma', 'no-cache')
  }
  writeJson(res, error, {
    error: isOAuthCode(error.code) ? error.code : (oauthByKind[error.kind] ?? 'invalid_request'),
    error_description: descriptionText(publicMessage(res, error)),
  } satisfies OAuthError)
}

/** RFC 6749 §5.2 allows %x20-21 / %x23-5B / %x5D-7E only. */
const descriptionText = (text: string): string =>
  text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?')

function writeJson(res: ServerResponse, error: AppError, body: object): void {
  if (res.headersSent) {
    // A truncated answer must look truncated, not complete.
    res.destroy()
    return
  }
  for (const name of staleHeaders) res.removeHeader(name)
  res.statusCode = statusOf(error.kind)
  res.setHeader('Content-Type', 'application/json; charset=utf-8')
  if (error.retryAfterSeconds !== undefined) {
    res.setHeader('Retry-After', Math.max(1, Math.ceil(error.retryAfterSeconds)))
  }
  endResponse(res, JSON.stringify(body))
}
