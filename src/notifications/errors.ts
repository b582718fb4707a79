import { AppError, type ErrorKind } from '../core/index.ts'

const kinds = {
  not_json: 'unsupported_media',
  unknown_type: 'unsupported',
  proof_required: 'unauthenticated',
  not_a_party: 'forbidden',
  unknown_share: 'invalid',
  answered_otherwise: 'conflict',
} as const satisfies Record<string, ErrorKind>

export class NotificationError extends AppError<keyof typeof kinds> {
  constructor(code: keyof typeof kinds, message: string) {
    super(kinds[code], code, message)
  }
}
