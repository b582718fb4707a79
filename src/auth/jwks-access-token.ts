import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose'
import { bearerChallenge } from './challenges.ts'
import type { AuthOutcome, AuthPlugin } from './plugin.ts'

export interface JwksAccessTokenOptions {
  /** The issuer's `publicUrl`, exactly as in `iss`. */
  readonly issuer: string
  /** Where the issuer publishes its keys; default: `/.well-known/jwks.json` of the issuer. */
  readonly jwksUri?: string
  /** The keys themselves, instead of fetching them. */
  readonly jwks?: JSONWebKeySet
  /** The OCM addresses whose tokens are welcome, `aud`; default: any. */
  readonly audience?: string | string[]
  /** The instant now, for tests; default: the wall clock. */
  readonly now?: () => Date
}

/** Asymmetric only (RFC 8725 §3.1–3.2). */
const algorithms = ['Ed25519', 'EdDSA', 'ES256', 'ES384', 'RS256']

class KeysUnavailable extends Error {}

const isVerdictOnKey = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported

/**
 * Accepts the access tokens of any issuer by its published keys, without asking the issuer. A token
 * that was revoked is therefore accepted until it expires (an hour by default): who needs immediate
 * revocation asks davmesh itself.
 */
export function jwksAccessToken(options: JwksAccessTokenOptions): AuthPlugin {
  const { issuer, audience, now } = options
  const find: JWTVerifyGetKey =
    options.jwks === undefined
      ? createRemoteJWKSet(new URL(options.jwksUri ?? '/.well-known/jwks.json', issuer))
      : createLocalJWKSet(options.jwks)

  /** Tells a key that is not there from keys that cannot be had. */
  const keys: JWTVerifyGetKey = async (header, token) => {
    try {
      return await find(header, token)
    } catch (error) {
      if (isVerdictOnKey(error)) throw error
      throw new KeysUnavailable('The keys of the issuer cannot be had.', { cause: error })
    }
  }

  async function verify(token: string): Promise<AuthOutcome> {
    const { payload } = await jwtVerify(token, keys, {
      algorithms,
      typ: 'at+jwt',
      issuer,
      requiredClaims: ['exp', 'iat', 'jti', 'sub', 'aud', 'client_id'],
      ...(audience !== undefined && { audience }),
      ...(now !== undefined && { currentDate: now() }),
    })
    const { sub, aud, jti, exp, client_id: clientId } = payload
    if (typeof sub !== 'string' || typeof jti !== 'string' || typeof clientId !== 'string') {
      return rejected('malformed claims')
    }
    if (typeof aud !== 'string' || typeof exp !== 'number') return rejected('malformed claims')
    const expiresAt = exp * 1000
    const claims = { issuer, subject: sub, audience: aud, clientId, jti, expiresAt }
    return { status: 'authenticated', principal: { kind: 'token', ...claims } }
  }

  return {
    name: 'jwks-access-token',
    schemes: ['Bearer'],
    challenge: bearerChallenge,
    async authenticate(credential) {
      if (credential.scheme !== 'Bearer' || credential.token.split('.').length !== 3) {
        return { status: 'skip' }
      }
      try {
        return await verify(credential.token)
      } catch (error) {
        // That is our trouble, not the token's.
        if (error instanceof KeysUnavailable) throw error
        if (error instanceof errors.JOSEError) return rejected(error.code)
        return rejected('malformed')
      }
    },
  }
}

const rejected = (reason: string): AuthOutcome => ({
  status: 'rejected',
  failure: { code: 'invalid_token', reason },
})
