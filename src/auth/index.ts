/** auth: asks each plugin "whose request is this?" and yields a `Principal` or the challenges. */
export { basicAppPassword } from './basic-app-password.ts'
export { bearerAccessToken } from './bearer-access-token.ts'
export { createAuthChain, type AuthChain, type AuthResult, type ChainRequest } from './chain.ts'
export { realm } from './challenges.ts'
export { expressAuth, principalOf } from './express-auth.ts'
export { jwksAccessToken, type JwksAccessTokenOptions } from './jwks-access-token.ts'
export type {
  AuthFailure,
  AuthOutcome,
  AuthPlugin,
  AuthRequest,
  Credential,
  Permission,
  Principal,
  ShareRoot,
  TokenClaims,
} from './plugin.ts'
export { sharedSecret } from './shared-secret.ts'
export { webdavServerAuthentication, type PrincipalUser } from './webdav-server-authentication.ts'
