import { AppError, type ErrorExtras, type ErrorKind } from '../../core/index.ts'
import { ValidationError } from '../../http/index.ts'

const kinds = {
  not_json: 'unsupported_media',
  unsupported_offer: 'unsupported',
  foreign_owner: 'forbidden',
  not_a_contact: 'forbidden',
  offer_changed: 'conflict',
  too_many_pending: 'too_many',
  received_not_found: 'not_found',
  received_state: 'conflict',
} as const satisfies Record<string, ErrorKind>

export class IncomingError extends AppError<keyof typeof kinds> {
  constructor(code: keyof typeof kinds, message: string, extras?: ErrorExtras) {
    super(kinds[code], code, message, extras)
  }
}

/** One member of an offer that is wrong, by its name on the wire. */
export const badMember = (name: string, message: string): ValidationError =>
  new ValidationError(`${name} ${message}`, [{ name, message }])

/** OCM, "Response" of the Share Creation Notification: 501 for what we cannot honour. */
export const unsupported = (what: string): IncomingError =>
  new IncomingError('unsupported_offer', `${what} is not supported here`)
