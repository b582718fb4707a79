import type { ErrorKind } from '../core/index.ts'

/** RFC 9110 §15, RFC 6585 (429), RFC 4918 §11.5 (507). */
const statuses: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  not_allowed: 405,
  conflict: 409,
  too_large: 413,
  too_many: 429,
  unsupported: 501,
  unsupported_media: 415,
  timeout: 408,
  misdirected: 421,
  no_space: 507,
  upstream: 502,
  unavailable: 503,
  internal: 500,
}

/** The one place where a kind of failure becomes an HTTP status. */
export const statusOf = (kind: ErrorKind): number => statuses[kind]
