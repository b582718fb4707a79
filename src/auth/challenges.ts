import type { AuthFailure } from './plugin.ts'

export const realm = 'davmesh'

/** RFC 6750 §3: no `error` unless a token was presented and is bad. */
export const bearerChallenge = (failure?: AuthFailure): string =>
  failure?.code === 'invalid_token' || failure?.code === 'invalid_request'
    ? `Bearer realm="${realm}", error="${failure.code}"`
    : `Bearer realm="${realm}"`

/** RFC 7617 §2.1. */
export const basicChallenge = (): string => `Basic realm="${realm}"`
