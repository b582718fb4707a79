import {
  createLimiter,
  epochSeconds,
  newId,
  reach,
  type Clock,
  type EventHub,
} from '../core/index.ts'
import { inTransaction, type Database } from '../db/index.ts'
import type { Keys } from '../keys/index.ts'
import type { LiveShare, Shares } from '../shares/index.ts'
import { TokenError } from './errors.ts'
import { evictAccessTokens, insertAccessToken, isRefreshTokenLive } from './queries.ts'
import type { TokenRequest } from './wire.ts'

/** A freshly issued access token. */
export interface IssuedToken {
  readonly accessToken: string
  readonly expiresInSeconds: number
  readonly jti: string
  readonly shareId: string
  /** The server it was issued to. */
  readonly peer: string
}

export interface ExchangeDeps {
  db: Database
  clock: Clock
  events: EventHub
  keys: Pick<Keys, 'signJwt'>
  shares: Pick<Shares, 'findLiveShare'>
  /** Our `publicUrl`. */
  issuer: string
  ttlSeconds: number
  /** Exchanges allowed for each share. */
  limit: { exchanges: number; windowSeconds: number }
}

/** Live tokens for each refresh token; beyond it the ones nearest their expiry go. */
const maxLiveTokens = 64

/** The same words for unknown, revoked, expired and somebody else's, so that none can be told. */
const invalidGrant = (reason: string): TokenError =>
  new TokenError('invalid_grant', 'the code is not valid', { detail: { reason } })

/** Trades a refresh token for an access token (OCM, "Code Flow"; RFC 6749 §4.1.3). */
export function createExchange(deps: ExchangeDeps) {
  const { db, clock, events, keys, shares, issuer, ttlSeconds, limit } = deps
  const { exchanges: count, windowSeconds } = limit
  const budget = createLimiter({
    name: 'token',
    by: 'share',
    budget: { count, windowSeconds },
    events,
    refuse: (retryAfterSeconds) =>
      new TokenError('slow_down', 'too many token requests for this share', { retryAfterSeconds }),
  })

  /** @throws TokenError `invalid_grant`. */
  async function findShare({ refreshToken, clientId }: TokenRequest): Promise<LiveShare> {
    const share = await shares.findLiveShare(refreshToken)
    if (share === undefined) throw invalidGrant('unknown, revoked or expired')
    if (share.recipientHost !== clientId) throw invalidGrant('issued to another server')
    return share
  }

  async function issue(share: LiveShare): Promise<IssuedToken> {
    await budget.spend(share.id)
    const now = epochSeconds(clock)
    const shareEnd = share.expiresAt === null ? Infinity : Math.floor(share.expiresAt / 1000)
    const expiresAt = Math.min(now + ttlSeconds, shareEnd)
    if (expiresAt <= now) throw invalidGrant('expires this second')
    const jti = newId()
    // RFC 9068 §2.2
    const claims = {
      iss: issuer,
      sub: share.owner,
      aud: share.recipient,
      client_id: share.id,
      iat: now,
      exp: expiresAt,
      jti,
    }
    const { jwt, kid } = await keys.signJwt('at+jwt', claims)
    await reach('exchange.signed')
    await inTransaction(db, async (tx) => {
      // Signing takes a moment, in which the share may end.
      const isLive = await isRefreshTokenLive(tx, share.refreshTokenId)
      if (!isLive) throw invalidGrant('revoked meanwhile')
      await evictAccessTokens(tx, share.refreshTokenId, maxLiveTokens - 1, now * 1000)
      await insertAccessToken(tx, {
        jti,
        refreshTokenId: share.refreshTokenId,
        shareId: share.id,
        clientId: share.id,
        kid,
        issuedAt: now * 1000,
        expiresAt: expiresAt * 1000,
        revokedAt: null,
      })
    })
    await reach('exchange.committed')
    const facts = { jti, shareId: share.id, peer: share.recipientHost }
    events.emit('token.issued', facts)
    return { accessToken: jwt, expiresInSeconds: expiresAt - now, ...facts }
  }

  return { findShare, issue }
}
