import type { Request, RequestHandler } from 'express'
import type { AuthChain } from './chain.ts'
import type { AuthFailure, Principal } from './plugin.ts'

const principals = new WeakMap<Request, Principal>()

/** Whose request this is; defined behind `expressAuth`. */
export function principalOf(request: Request): Principal {
  const principal = principals.get(request)
  if (principal === undefined) throw new Error('principalOf needs expressAuth before it')
  return principal
}

const statusOf = (failure: AuthFailure | undefined): number => {
  if (failure?.code === 'invalid_request') return 400
  return failure?.code === 'throttled' ? 429 : 401
}

/**
 * Express middleware that lets authenticated requests pass and answers the others: 401 with every
 * challenge of the chain, 400 for more than one credential, 429 with `Retry-After`.
 */
export function expressAuth(chain: AuthChain): RequestHandler {
  return async (request, response, next) => {
    const { rawHeaders, ip = '' } = request
    const result = await chain.authenticate({ rawHeaders, address: ip })
    if (result.status === 'authenticated') {
      principals.set(request, result.principal)
      next()
      return
    }
    const { failure } = result
    if (failure?.retryAfterSeconds !== undefined) {
      response.set('Retry-After', String(failure.retryAfterSeconds))
    }
    response
      .status(statusOf(failure))
      .set('WWW-Authenticate', chain.challenges(failure))
      .set('Cache-Control', 'no-store')
      .json({ message: failure?.code ?? 'authentication required' })
  }
}
