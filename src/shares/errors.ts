import { AppError, type ErrorExtras, type ErrorKind } from '../core/index.ts'

const kinds = {
  bad_path: 'invalid',
  bad_name: 'invalid',
  bad_permissions: 'invalid',
  bad_expiry: 'invalid',
  bad_recipient: 'invalid',
  invite_required: 'conflict',
  owner_disabled: 'forbidden',
  resource_not_found: 'not_found',
  share_not_found: 'not_found',
  share_state: 'conflict',
  token_exchange_required: 'conflict',
  token_exchange_unsupported: 'conflict',
} as const satisfies Record<string, ErrorKind>

export class ShareError extends AppError<keyof typeof kinds> {
  constructor(code: keyof typeof kinds, message: string, extras?: ErrorExtras) {
    super(kinds[code], code, message, extras)
  }
}
