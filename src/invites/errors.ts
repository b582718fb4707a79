import { AppError, type ErrorExtras, type ErrorKind } from '../core/index.ts'

const kinds = {
  bad_invite: 'invalid',
  own_invite: 'invalid',
  invite_unknown: 'invalid',
  foreign_media_type: 'unsupported_media',
  invite_used: 'conflict',
  invite_state: 'conflict',
  too_many_invites: 'conflict',
  user_disabled: 'conflict',
  invite_refused: 'upstream',
  invite_not_found: 'not_found',
  contact_not_found: 'not_found',
} as const satisfies Record<string, ErrorKind>

export class InviteError extends AppError<keyof typeof kinds> {
  constructor(code: keyof typeof kinds, message: string, extras?: ErrorExtras) {
    super(kinds[code], code, message, extras)
  }
}
