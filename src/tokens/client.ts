import { SenderError } from '../peers/index.ts'
import { TokenError } from './errors.ts'

/**
 * Does the work of the sender check, and says what it finds in the words of RFC 6749 §5.2: an
 * altered body is `invalid_request`, all else is one and the same `invalid_client`.
 *
 * @throws TokenError `invalid_client`, `invalid_request`; whatever else `work` throws.
 */
export async function asClientAuthentication<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof SenderError)) throw error
    const { code, message, detail = {} } = error
    throw code === 'body_altered'
      ? new TokenError('invalid_request', message, { detail })
      : new TokenError('invalid_client', 'the request signature is not valid', { detail })
  }
}
