import { AppError, type ErrorExtras, type ErrorKind } from '../core/index.ts'

const kinds = {
  sender_unreachable: 'unavailable',
  sender_garbled: 'upstream',
  sender_too_slow: 'timeout',
  share_closed: 'forbidden',
  not_in_mount: 'forbidden',
} as const satisfies Record<string, ErrorKind>

/** Why what another server shares could not be used; the message is ours and made for its user. */
export class MountError extends AppError<keyof typeof kinds> {
  constructor(code: keyof typeof kinds, message: string, extras?: ErrorExtras) {
    super(kinds[code], code, message, extras)
  }
}
