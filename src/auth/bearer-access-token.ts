import { andThen, type Awaitable } from '../core/index.ts'
import { bearerChallenge } from './challenges.ts'
import type { AuthOutcome, AuthPlugin, Permission } from './plugin.ts'

type Verdict =
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

/** What the plugin asks of whoever issued the tokens. */
export interface BearerAccessTokenDeps {
  verify(token: string): Awaitable<Verdict>
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
    authenticate(credential) {
      if (credential.scheme !== 'Bearer') return { status: 'skip' }
      return andThen(verify(credential.token), outcomeOf)
    },
  }
}

function outcomeOf(verdict: Verdict): AuthOutcome {
  switch (verdict.status) {
    case 'foreign':
      return { status: 'skip' }
    case 'invalid':
      return { status: 'rejected', failure: { code: 'invalid_token', reason: verdict.reason } }
    case 'valid': {
      const { jti, shareId, ownerId, path, resourceType, permissions, peer } = verdict.token
      const root = { ownerId, path, resourceType }
      return {
        status: 'authenticated',
        principal: { kind: 'share', shareId, root, permissions, peer, jti },
      }
    }
  }
}
