import { AppError, type ErrorExtras, type ErrorKind } from '../core/index.ts'

const kinds = {
  bad_request: 'invalid',
  request_aborted: 'invalid',
  invalid_json: 'invalid',
  invalid_form: 'invalid',
  body_too_large: 'too_large',
  body_timeout: 'timeout',
  unsupported_content_coding: 'unsupported_media',
  unsupported_transfer_coding: 'unsupported',
  unsupported_media_type: 'unsupported_media',
} as const satisfies Record<string, ErrorKind>

/** What can be wrong with a request before anybody looks at its meaning. */
export type HttpErrorCode = keyof typeof kinds

/** A request that never got past the border. */
export class HttpError extends AppError<HttpErrorCode> {
  constructor(code: HttpErrorCode, message: string, extras: ErrorExtras = {}) {
    super(kinds[code], code, message, extras)
  }
}

/** One field that a stranger got wrong; both members reach the wire. */
export interface FieldIssue {
  readonly name: string
  readonly message: string
}

/** More would only help whoever sends garbage to get a longer answer. */
const mostIssues = 20

/** A well-formed body with wrong contents; OCM answers list the fields. */
export class ValidationError extends AppError<'invalid_request'> {
  readonly issues: readonly FieldIssue[]

  constructor(message: string, issues: readonly FieldIssue[], extras: ErrorExtras = {}) {
    super('invalid', 'invalid_request', message, extras)
    this.issues = issues.slice(0, mostIssues)
  }
}

/** Translates schema issues (zod's, structurally) into named fields. */
export const fieldIssues = (
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): FieldIssue[] =>
  issues
    .slice(0, mostIssues)
    .map(({ path, message }) => ({ name: path.map(String).join('.'), message }))
