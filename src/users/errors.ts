import { AppError, type ErrorExtras, type ErrorKind } from '../core/index.ts'

const kinds = {
  bad_username: 'invalid',
  bad_password: 'invalid',
  bad_home: 'invalid',
  user_exists: 'conflict',
  user_not_found: 'not_found',
  password_not_found: 'not_found',
} as const satisfies Record<string, ErrorKind>

export class UserError extends AppError<keyof typeof kinds> {
  constructor(code: keyof typeof kinds, message: string, extras?: ErrorExtras) {
    super(kinds[code], code, message, extras)
  }
}
