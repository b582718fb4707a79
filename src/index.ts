/** davmesh as a library: accept its tokens elsewhere, or embed the whole server. */
export {
  basicAppPassword,
  bearerAccessToken,
  createAuthChain,
  expressAuth,
  jwksAccessToken,
  principalOf,
  sharedSecret,
  webdavServerAuthentication,
  type AuthChain,
  type AuthFailure,
  type AuthOutcome,
  type AuthPlugin,
  type AuthRequest,
  type AuthResult,
  type ChainRequest,
  type Credential,
  type JwksAccessTokenOptions,
  type Permission,
  type Principal,
  type PrincipalUser,
  type ShareRoot,
  type TokenClaims,
} from './auth/index.ts'
export { ConfigError, loadConfig, type Config } from './config/index.ts'
export { createApp, type App } from './create-app.ts'
export { FileError, type FileErrorCode, type FileTree } from './files/index.ts'
export { treeOfFileSystem } from './webdav/index.ts'
