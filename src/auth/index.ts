/** auth: asks each plugin "whose request is this?". */
export { createAuthChain, type AuthChain, type AuthResult, type ChainRequest } from './chain.ts'
export type {
  AuthFailure,
  AuthOutcome,
  AuthPlugin,
  AuthRequest,
  Credential,
  Permission,
  Principal,
  ShareRoot,
} from './plugin.ts'
