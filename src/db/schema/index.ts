/** The whole schema, one file per domain. */
export { signingKeys } from './keys.ts'
export { peers } from './peers.ts'
export { outgoingShares, refreshTokens } from './shares.ts'
export { accessTokens } from './tokens.ts'
export { appPasswords, loginFailures, users } from './users.ts'
export { deadProperties, locks, resourceChanges } from './webdav.ts'
