import type { ShareAccess } from '../../shares/index.ts'

const skewMs = 30_000

/**
 * Whether the kept access token is used: until shortly before its end, so that it does not end on the
 * way, though at least half of its life. One from the future means that the clock was set back.
 */
export function isFresh(
  {
    sealedAccessToken,
    accessTokenIssuedAt: issuedAt,
    accessTokenExpiresAt: expiresAt,
  }: ShareAccess,
  now: number,
): boolean {
  if (sealedAccessToken === null || issuedAt === null || expiresAt === null) return false
  const life = expiresAt - issuedAt
  const skew = Math.min(Math.max(skewMs, life / 10), life / 2)
  return issuedAt <= now && now < expiresAt - skew
}

/** Whether a row has just these bytes; nothing is never the same. */
export const hasToken = ({ sealedAccessToken }: ShareAccess, sealed: Buffer | null): boolean =>
  sealed !== null && sealedAccessToken !== null && sealedAccessToken.equals(sealed)
