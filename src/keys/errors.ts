import { AppError, type ErrorExtras, type ErrorKind } from '../core/index.ts'

const kinds = {
  key_not_found: 'not_found',
  key_state: 'conflict',
  rotation_running: 'conflict',
  no_active_key: 'unavailable',
} as const satisfies Record<string, ErrorKind>

export class KeyError extends AppError<keyof typeof kinds> {
  constructor(code: keyof typeof kinds, message: string, extras?: ErrorExtras) {
    super(kinds[code], code, message, extras)
  }
}
