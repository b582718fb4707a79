import { z } from 'zod'
import { mediaType, parseForm, parseJson } from '../http/index.ts'
import { parseHost } from '../peers/index.ts'
import { TokenError } from './errors.ts'

/** A token request in our words. */
export interface TokenRequest {
  /** The OCM `sharedSecret`. */
  readonly refreshToken: string
  /** The receiving server, normalised `host[:port]`. */
  readonly clientId: string
}

/** The standard's grant type, reva's older one, and the OCM stub's. */
const grantTypes = ['authorization_code', 'ocm_share', 'ocm_authorization_code']

/** Empty values count as absent (RFC 6749 §3.1); parameters we do not know are ignored (§3.2). */
const present = z.string().min(1)
export const tokenRequestSchema = z.object({
  grant_type: present.meta({
    description: '`authorization_code`; also `ocm_share` and `ocm_authorization_code`',
  }),
  client_id: present
    .max(512)
    .meta({ description: 'Host of the receiving server, `host[:port]`: who signs' }),
  code: present.max(4096).meta({ description: 'The `sharedSecret` of the share' }),
})

/**
 * Reads the body of a token request: a form, or JSON as early Nextcloud and the OCM stub send it.
 *
 * @throws TokenError `invalid_request`, `unsupported_grant_type`.
 */
export function parseTokenRequest(contentType: string | undefined, body: Uint8Array): TokenRequest {
  const parsed = tokenRequestSchema.safeParse(readFields(contentType, body))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new TokenError('invalid_request', `${issue?.path.join('.') ?? 'body'} is required`)
  }
  const { grant_type: grantType, client_id: client, code } = parsed.data
  if (!grantTypes.includes(grantType)) {
    throw new TokenError('unsupported_grant_type', 'grant_type must be authorization_code')
  }
  try {
    return { refreshToken: code, clientId: parseHost(client) }
  } catch (cause) {
    throw new TokenError('invalid_request', 'client_id must be the host of your server', { cause })
  }
}

function readFields(contentType: string | undefined, body: Uint8Array): unknown {
  try {
    const type = mediaType(contentType)
    if (type === 'application/x-www-form-urlencoded') return Object.fromEntries(parseForm(body))
    if (type === 'application/json') return parseJson(body)
  } catch (cause) {
    throw new TokenError('invalid_request', (cause as Error).message, { cause })
  }
  throw new TokenError(
    'invalid_request',
    'Content-Type must be application/x-www-form-urlencoded, in UTF-8',
  )
}

/** RFC 6749 §5.1; never a `refresh_token`: OCM presents the same code again. */
export const tokenResponseSchema = z.strictObject({
  access_token: z.string().meta({ description: 'A JWT with `typ: at+jwt` (RFC 9068)' }),
  token_type: z.literal('Bearer'),
  expires_in: z.int().positive().meta({ description: 'Seconds' }),
})

export type TokenResponse = z.output<typeof tokenResponseSchema>
