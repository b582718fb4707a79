import { AppError, type ErrorKind } from '../core/index.ts'
import { FileError, type FileErrorCode } from '../files/index.ts'
import { statusOf } from '../http/index.ts'

interface DavErrorOptions {
  /** The precondition element of RFC 4918 §16, with its prefix: `D:propfind-finite-depth`. */
  readonly element?: string
  /** URLs inside that element, escaped. */
  readonly hrefs?: readonly string[]
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly cause?: unknown
}

/** A refusal as WebDAV says it: a status, perhaps a precondition element, perhaps fields. */
export class DavError extends AppError {
  readonly status: number
  readonly element: string | undefined
  readonly hrefs: readonly string[]
  readonly headers: Readonly<Record<string, string | readonly string[]>>

  constructor(status: number, message: string, options: DavErrorOptions = {}) {
    super(status >= 500 ? 'unavailable' : 'invalid', `dav_${status}`, message, options)
    this.status = status
    this.element = options.element
    this.hrefs = options.hrefs ?? []
    this.headers = options.headers ?? {}
  }
}

export const badRequest = (message: string): DavError => new DavError(400, message)

/** One and the same for what is missing and for what is nobody's business. */
export const notFound = (): DavError => new DavError(404, 'Not found.')

export const forbidden = (message: string): DavError => new DavError(403, message)

export const preconditionFailed = (): DavError =>
  new DavError(412, 'A precondition of the request does not hold.')

export const unsupportedMedia = (message: string): DavError => new DavError(415, message)

export const tooLarge = (): DavError => new DavError(413, 'The request body is too large.')

/** RFC 9110 §15.5.6: a 405 says what is allowed. */
export const notAllowed = (allow: string): DavError =>
  new DavError(405, 'This method is not allowed here.', { headers: { Allow: allow } })

const statusByFileError: Record<FileErrorCode, number> = {
  not_found: 404,
  exists: 412,
  parent_missing: 409,
  not_a_directory: 409,
  is_a_directory: 409,
  changed: 412,
  locked: 423,
  forbidden_name: 400,
  reserved_name: 403,
  not_served: 403,
  left_out: 403,
  access_denied: 403,
  into_itself: 403,
  is_root: 403,
  no_space: 507,
  too_large: 413,
  busy: 503,
}

/** For trees that are not local: a peer's refusal never becomes our 401, its delay never our 408. */
const statusByKind = (kind: ErrorKind): number =>
  ({ unauthenticated: 403, timeout: 504 })[kind as string] ?? statusOf(kind)

/** What to answer for something thrown, or `undefined` when it was not expected. */
export function toDavError(error: unknown): DavError | undefined {
  if (error instanceof DavError) return error
  if (error instanceof FileError) {
    const status = statusByFileError[error.code]
    return status === 404 ? notFound() : new DavError(status, error.message, { cause: error })
  }
  if (!(error instanceof AppError) || error.kind === 'internal') return undefined
  if (error.kind === 'not_found') return notFound()
  const { retryAfterSeconds } = error
  return new DavError(statusByKind(error.kind), error.message, {
    cause: error,
    headers: retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) },
  })
}
