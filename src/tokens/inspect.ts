import { decodeJwt, decodeProtectedHeader } from 'jose'
import { TokenError } from './errors.ts'

/** A token taken apart for an operator. */
export interface InspectedToken {
  readonly header: Record<string, unknown>
  readonly claims: Record<string, unknown>
  /** Whether it opens its share at this moment. */
  readonly active: boolean
  /** Why not; null when it does. */
  readonly reason: string | null
}

/** @throws TokenError `invalid_request` when it is no JWT at all. */
export function decodeToken(jwt: string): Pick<InspectedToken, 'header' | 'claims'> {
  try {
    return { header: { ...decodeProtectedHeader(jwt) }, claims: { ...decodeJwt(jwt) } }
  } catch (cause) {
    throw new TokenError('invalid_request', 'This is no JWT.', { cause })
  }
}
