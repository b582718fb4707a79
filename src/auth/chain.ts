import { andThen, type Awaitable } from '../core/index.ts'
import { readCredential } from './credential.ts'
import type { AuthFailure, AuthPlugin, AuthRequest, Credential, Principal } from './plugin.ts'

export type AuthResult =
  | { readonly status: 'authenticated'; readonly principal: Principal }
  /** No principal; `failure` is absent when the request presented nothing at all. */
  | { readonly status: 'refused'; readonly failure?: AuthFailure }

/** A request as the chain sees it; node's `IncomingMessage.rawHeaders` fits. */
export interface ChainRequest extends AuthRequest {
  readonly rawHeaders: readonly string[]
}

export interface AuthChain {
  /** Asks each plugin in order; the first that does not skip decides. */
  authenticate(request: ChainRequest): Awaitable<AuthResult>
  /** The `WWW-Authenticate` field values for a 401, one per scheme (RFC 9110 §11.6.1). */
  challenges(failure?: AuthFailure): string[]
}

/**
 * @param onRefused told of every presented credential that opened nothing, for log and metrics.
 */
export function createAuthChain(
  plugins: readonly AuthPlugin[],
  onRefused: (plugin: string, failure: AuthFailure) => void = () => undefined,
): AuthChain {
  const refuse = (plugin: string, failure: AuthFailure): AuthResult => {
    onRefused(plugin, failure)
    return { status: 'refused', failure }
  }

  /** Asks the plugins from `index` on. */
  function ask(credential: Credential, request: AuthRequest, index: number): Awaitable<AuthResult> {
    const plugin = plugins[index]
    if (plugin === undefined) {
      const code = credential.scheme === 'Bearer' ? 'invalid_token' : 'invalid_credentials'
      return refuse('chain', { code, reason: `unknown ${credential.scheme} credential` })
    }
    if (!plugin.schemes.includes(credential.scheme)) return ask(credential, request, index + 1)
    return andThen(plugin.authenticate(credential, request), (outcome) => {
      if (outcome.status === 'authenticated') return outcome
      if (outcome.status === 'rejected') return refuse(plugin.name, outcome.failure)
      return ask(credential, request, index + 1)
    })
  }

  return {
    authenticate(request) {
      const presented = readCredential(request.rawHeaders)
      if (presented.status === 'none') return { status: 'refused' }
      if (presented.status === 'malformed') return refuse('chain', presented.failure)
      return ask(presented.credential, request, 0)
    },
    challenges(failure) {
      const byScheme = new Map<string, string>()
      for (const plugin of plugins) {
        for (const scheme of plugin.schemes) {
          if (!byScheme.has(scheme)) byScheme.set(scheme, plugin.challenge(failure, scheme))
        }
      }
      // Clients that know only Basic read the first challenge they understand; Bearer leads.
      return [...byScheme.values()].sort((one, other) => other.localeCompare(one))
    },
  }
}
