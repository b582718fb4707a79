import type { IncomingMessage } from 'node:http'
import type { AuthFailure, AuthResult, Permission, Principal } from '../../auth/index.ts'
import { andThen, type Awaitable } from '../../core/index.ts'
import { DavError } from '../errors.ts'
import type { Settings } from '../exchange.ts'

/** @throws DavError 401, 400 or 429: whoever has no good credential learns nothing else. */
export function identify(req: IncomingMessage, settings: Settings): Awaitable<Principal> {
  const request = { rawHeaders: req.rawHeaders, address: settings.addressOf(req) }
  return andThen(settings.chain.authenticate(request), (result: AuthResult) => {
    if (result.status === 'authenticated') return result.principal
    throw refusal(settings, result.failure)
  })
}

function refusal(settings: Settings, failure: AuthFailure | undefined): DavError {
  const headers = { 'WWW-Authenticate': settings.chain.challenges(failure) }
  switch (failure?.code) {
    case 'throttled': {
      const seconds = String(failure.retryAfterSeconds ?? 60)
      return new DavError(429, 'Too many attempts.', { headers: { 'Retry-After': seconds } })
    }
    // RFC 6750 §3.1
    case 'invalid_request':
      return new DavError(400, 'The credential of the request is malformed.', { headers })
    case 'invalid_token':
    case 'invalid_credentials':
    case undefined:
      return new DavError(401, 'A valid credential is needed.', { headers })
  }
}

/** RFC 6750 §3.1: the credential is good, what it grants is not enough. */
export function requirePermissions(
  granted: readonly Permission[],
  needed: readonly Permission[],
  realm: string,
): void {
  if (needed.every((permission) => granted.includes(permission))) return
  throw new DavError(403, 'The credential does not permit this.', {
    headers: { 'WWW-Authenticate': `Bearer realm="${realm}", error="insufficient_scope"` },
  })
}
