/** tokens: access tokens we issue: exchange, JWT, token map, verify, revoke. */
export type { InspectedToken } from './inspect.ts'
export { createTokens, type AccessToken, type Tokens, type TokensDeps } from './tokens.ts'
export { tokenRequestSchema, tokenResponseSchema } from './wire.ts'
export type { TokenVerdict, VerifiedToken } from './verify.ts'
