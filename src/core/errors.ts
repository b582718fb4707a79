/** What went wrong, independent of any protocol; `http/status.ts` maps each kind to one status. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'not_allowed'
  | 'conflict'
  | 'too_large'
  | 'too_many'
  | 'unsupported'
  | 'unsupported_media'
  | 'timeout'
  | 'misdirected'
  | 'no_space'
  | 'upstream'
  | 'unavailable'
  | 'internal'

export interface ErrorExtras {
  /** The error underneath; goes to the log, never to the wire. */
  cause?: unknown
  /** Facts for the operator; go to the log, never to the wire. */
  detail?: Record<string, unknown>
  /** Whole seconds after which a retry makes sense (`Retry-After`). */
  retryAfterSeconds?: number
}

/**
 * An expected failure. `message` is written for strangers: it may be sent to anybody.
 * Everything that is not an `AppError` is `internal` and reaches the wire as a constant.
 */
export class AppError<Code extends string = string> extends Error {
  readonly kind: ErrorKind
  readonly code: Code
  readonly detail: Record<string, unknown> | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(kind: ErrorKind, code: Code, message: string, extras: ErrorExtras = {}) {
    super(message, { cause: extras.cause })
    this.name = new.target.name
    this.kind = kind
    this.code = code
    this.detail = extras.detail
    this.retryAfterSeconds = extras.retryAfterSeconds
  }
}
