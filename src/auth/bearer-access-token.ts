import { bearerChallenge } from './challenges.ts'
import type { AuthPlugin, Permission } from './plugin.ts'

/** What the plugin asks of whoever issued the tokens. */
export interface BearerAccessTokenDeps {
  verify(token: string): Promise<
    | {
        readonly status: 'valid'
        readonly token: {
          readonly jti: string
          readonly shareId: string
          readonly ownerId: string
          readonly path: readonly string[]
          readonly resourceType: 'file' | 'folder'
          readonly permissions: readonly Permission[]
          readonly peer: string
        }
      }
    /** Not a token of this kind at all. */
    | { readonly status: 'foreign' }
    | { readonly status: 'invalid'; readonly reason: string }
  >
}

/**
 * Access tokens this server issued: own keys and the token map. A bad one ends the chain: an
 * expired JWT is never tried as anything else.
 */
export function bearerAccessToken({ verify }: BearerAccessTokenDeps): AuthPlugin {
  return {
    name: 'bearer-access-token',
    schemes: ['Bearer'],
    challenge: bearerChallenge,
    async authenticate(credential) {
      if (credential.scheme !== 'Bearer') return { status: 'skip' }
      const verdict = await verify(credential.token)
      switch (verdict.status) {
        case 'foreign':
          return { status: 'skip' }
        case 'invalid':
          return {
            status: 'rejected',
            failure: { code: 'invalid_token', reason: verdict.reason },
          }
        case 'valid': {
          const { jti, shareId, ownerId, path, resourceType, permissions, peer } = verdict.token
          const root = { ownerId, path, resourceType }
          return {
            status: 'authenticated',
            principal: { kind: 'share', shareId, root, permissions, peer, jti },
          }
        }
      }
    },
  }
}
