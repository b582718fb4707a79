import { AppError, type ErrorExtras, type ErrorKind } from '../core/index.ts'

const kinds = {
  entry_not_found: 'not_found',
  outbox_full: 'unavailable',
} as const satisfies Record<string, ErrorKind>

export class OutboxError extends AppError<keyof typeof kinds> {
  constructor(code: keyof typeof kinds, message: string, extras?: ErrorExtras) {
    super(kinds[code], code, message, extras)
  }
}
