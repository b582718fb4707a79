import { createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify, type JSONWebKeySet } from 'jose'
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

/**
 * Accepts the access tokens of any issuer by its published keys, without asking the issuer. A token
 * that was revoked is therefore accepted until it expires (an hour by default): who needs immediate
 * revocation asks davmesh itself.
 */
export function jwksAccessToken(options: JwksAccessTokenOptions): AuthPlugin {
  const { issuer, audience, now } = options
  const keys =
    options.jwks === undefined
      ? createRemoteJWKSet(new URL(options.jwksUri ?? '/.well-known/jwks.json', issuer))
      : createLocalJWKSet(options.jwks)

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
        // No key could be fetched: that is our trouble, not the token's.
        if (error instanceof errors.JWKSTimeout) throw error
        if (error instanceof errors.JOSEError) return rejected(error.code)
        if (error instanceof SyntaxError || error instanceof TypeError) throw error
        return rejected('malformed')
      }
    },
  }
}

const rejected = (reason: string): AuthOutcome => ({
  status: 'rejected',
  failure: { code: 'invalid_token', reason },
})
