import { AppError, type ErrorExtras, type ErrorKind } from '../core/index.ts'

const kinds = {
  bad_address: 'invalid',
  bad_host: 'invalid',
  peer_denied: 'forbidden',
  peer_in_use: 'conflict',
  peer_resting: 'upstream',
  peer_unreachable: 'upstream',
  peer_unusable: 'upstream',
  keys_unreachable: 'upstream',
} as const satisfies Record<string, ErrorKind>

export class PeerError extends AppError<keyof typeof kinds> {
  constructor(code: keyof typeof kinds, message: string, extras?: ErrorExtras) {
    super(kinds[code], code, message, extras)
  }
}
