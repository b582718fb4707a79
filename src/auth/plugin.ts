import type { Awaitable } from '../core/index.ts'

/** What a request presents in its one `Authorization` field. */
export type Credential =
  | { readonly scheme: 'Bearer'; readonly token: string }
  | { readonly scheme: 'Basic'; readonly username: string; readonly password: string }

/** What a plugin may know of the request beside the credential. */
export interface AuthRequest {
  /** The client's address, for throttling; already resolved through trusted proxies. */
  readonly address: string
}

export type Permission = 'read' | 'write' | 'share'

/** Where a share begins: a path in its owner's tree, as decoded segments. */
export interface ShareRoot {
  readonly ownerId: string
  readonly path: readonly string[]
  readonly resourceType: 'file' | 'folder'
}

/** RFC 9068 §2.2: what an access token says of itself. */
export interface TokenClaims {
  readonly issuer: string
  /** The owner of what is shared. */
  readonly subject: string
  /** The OCM address the token was made for. */
  readonly audience: string
  /** The share it opens, by its provider id. */
  readonly clientId: string
  readonly jti: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/** Whose request this is. */
export type Principal =
  | { readonly kind: 'user'; readonly userId: string; readonly username: string }
  | {
      readonly kind: 'share'
      readonly shareId: string
      readonly root: ShareRoot
      readonly permissions: readonly Permission[]
      /** The recipient's server, `host[:port]`. */
      readonly peer: string
      /** Present when an access token opened the share. */
      readonly jti?: string
    }
  /** A token of some issuer's, verified by its published keys alone; see `jwksAccessToken`. */
  | ({ readonly kind: 'token' } & TokenClaims)

/** Why a credential was refused. `reason` is for the log; strangers see only `code`. */
export interface AuthFailure {
  readonly code: 'invalid_request' | 'invalid_token' | 'invalid_credentials' | 'throttled'
  readonly reason: string
  readonly retryAfterSeconds?: number
}

export type AuthOutcome =
  | { readonly status: 'authenticated'; readonly principal: Principal }
  /** Not mine: the next plugin is asked. */
  | { readonly status: 'skip' }
  /** Mine and bad: the chain ends here, nothing falls through to a weaker credential. */
  | { readonly status: 'rejected'; readonly failure: AuthFailure }

/**
 * One way to answer "whose request is this?".
 *
 * A plugin is stateless towards requests: everything it learns is in the outcome it returns. It must
 * not throw for anything a stranger can send; a thrown error is a fault of the server (500).
 */
export interface AuthPlugin {
  /** Unique, stable: the name used in `auth.plugins` and in the log. */
  readonly name: string
  /** The schemes it wants to see; it is never called with another. */
  readonly schemes: readonly Credential['scheme'][]
  authenticate(credential: Credential, request: AuthRequest): Awaitable<AuthOutcome>
  /**
   * The `WWW-Authenticate` challenge of one of its schemes (RFC 9110 §11.6.1); plugins of one scheme
   * share the first.
   */
  challenge(failure: AuthFailure | undefined, scheme: Credential['scheme']): string
}
