import type { AuthFailure, Credential } from './plugin.ts'

/** What the request presents: one credential, none, or something no server should guess about. */
export type Presented =
  | { readonly status: 'credential'; readonly credential: Credential }
  | { readonly status: 'none' }
  | { readonly status: 'malformed'; readonly failure: AuthFailure }

const malformed = (reason: string): Presented => ({
  status: 'malformed',
  failure: { code: 'invalid_request', reason },
})

const fieldName = 'authorization'

/** RFC 6750 §2.1: the b64token alphabet. */
const bearerToken = /^[A-Za-z0-9\-._~+/]+=*$/

/**
 * Reads the `Authorization` field from raw header pairs, where a repeated field is still visible.
 * RFC 6750 §3.1: more than one credential is an invalid request.
 */
export function readCredential(rawHeaders: readonly string[]): Presented {
  const fields: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    const isOurs = name?.length === fieldName.length && name.toLowerCase() === fieldName
    if (isOurs) fields.push(rawHeaders[index + 1] ?? '')
  }
  const [field] = fields
  if (field === undefined) return { status: 'none' }
  if (fields.length > 1) return malformed('more than one Authorization field')
  const [, scheme = '', value = ''] = /^([A-Za-z0-9-]+) +(\S.*)$/.exec(field.trim()) ?? []
  switch (scheme.toLowerCase()) {
    case 'bearer':
      if (!bearerToken.test(value)) return malformed('not a Bearer token')
      return { status: 'credential', credential: { scheme: 'Bearer', token: value } }
    case 'basic':
      return readBasic(value)
    case '':
      return malformed('not an Authorization value')
    default:
      return { status: 'none' }
  }
}

/** RFC 7617 §2: user-id and password are split at the first colon. */
function readBasic(value: string): Presented {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return malformed('Basic value is not base64')
  const text = Buffer.from(value, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  // RFC 7617 §2: no control characters.
  if (colon < 0 || /[\u0000-\u001f\u007f]/.test(text)) {
    return malformed('Basic value is not user:password')
  }
  const username = text.slice(0, colon)
  const password = text.slice(colon + 1)
  return { status: 'credential', credential: { scheme: 'Basic', username, password } }
}
