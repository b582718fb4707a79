import { AppError, type ErrorKind } from '../../core/index.ts'

const kinds = {
  reshare_forbidden: 'forbidden',
  reshare_part: 'invalid',
  reshare_option: 'invalid',
  reshare_bad_recipient: 'invalid',
  reshare_unsupported: 'unsupported',
  reshare_not_found: 'not_found',
  reshare_state: 'conflict',
} as const satisfies Record<string, ErrorKind>

export class ReshareError extends AppError<keyof typeof kinds> {
  constructor(code: keyof typeof kinds, message: string) {
    super(kinds[code], code, message)
  }
}
