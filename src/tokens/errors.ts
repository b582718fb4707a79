import { AppError, type ErrorExtras, type ErrorKind } from '../core/index.ts'

/** RFC 6749 §5.2 codes, and our own for the command line. */
const kinds = {
  invalid_request: 'invalid',
  invalid_client: 'unauthenticated',
  invalid_grant: 'invalid',
  unsupported_grant_type: 'invalid',
  slow_down: 'too_many',
  token_not_found: 'not_found',
} as const satisfies Record<string, ErrorKind>

export class TokenError extends AppError<keyof typeof kinds> {
  constructor(code: keyof typeof kinds, message: string, extras?: ErrorExtras) {
    super(kinds[code], code, message, extras)
  }
}
