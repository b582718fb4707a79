import { AppError, type Clock, type EventHub, type Limiter } from '../core/index.ts'
import { inTransaction, type Database } from '../db/index.ts'
import type { ReceivedMessage, SenderCheck } from '../peers/index.ts'
import { asClientAuthentication } from './client.ts'
import { TokenError } from './errors.ts'
import { createExchange, type ExchangeDeps, type IssuedToken } from './exchange.ts'
import {
  deleteExpiredTokens,
  findAccessToken,
  revokeAccessToken,
  selectAccessTokens,
  type AccessTokenRow,
} from './queries.ts'
import { decodeToken, type InspectedToken } from './inspect.ts'
import { createTokenVerifier, type VerifyDeps } from './verify.ts'
import { parseTokenRequest } from './wire.ts'

/** A row of the token map; instants in epoch milliseconds. */
export type AccessToken = AccessTokenRow

export interface TokenEndpointRequest extends ReceivedMessage {
  readonly contentType: string | undefined
}

export type TokensDeps = ExchangeDeps &
  VerifyDeps & {
    db: Database
    clock: Clock
    events: EventHub
    sender: SenderCheck
    /** Of proven peers: what they ask for and do not get. */
    failures: Limiter
  }

export type Tokens = ReturnType<typeof createTokens>

/** So long `token list` shows what has ended, and a clock that was ahead has ended nothing. */
const keptMs = 24 * 60 * 60_000

export function createTokens(deps: TokensDeps) {
  const { db, clock, events, sender, failures } = deps
  const { findShare, issue } = createExchange(deps)

  async function getToken(jti: string): Promise<AccessToken> {
    const token = await findAccessToken(db, jti)
    if (token !== undefined) return token
    throw new TokenError('token_not_found', `There is no access token "${jti}".`)
  }

  const verify = createTokenVerifier(deps)

  async function answer(request: TokenEndpointRequest): Promise<IssuedToken> {
    const inspected = await asClientAuthentication(() => sender.inspect(request))
    const wanted = parseTokenRequest(request.contentType, request.body)
    const authenticate = (host: string) =>
      asClientAuthentication(() => sender.authenticate(inspected, host))
    const signed = inspected.scheme !== 'none'
    if (!signed) {
      const share = await findShare(wanted)
      // Without the code nobody is worth a question to another server.
      await authenticate(share.recipientHost)
      return issue(share)
    }
    const { host } = await authenticate(wanted.clientId)
    await failures.check(host)
    const share = await findShare(wanted).catch(async (error: unknown) => {
      await failures.note(host)
      throw error
    })
    return issue(share)
  }

  return {
    verify,

    /** What a token says, and whether it opens anything now. */
    async inspect(jwt: string): Promise<InspectedToken> {
      const decoded = decodeToken(jwt)
      const verdict = await verify(jwt)
      if (verdict.status === 'valid') return { ...decoded, active: true, reason: null }
      const reason = verdict.status === 'invalid' ? verdict.reason : 'not a JWT'
      return { ...decoded, active: false, reason }
    },

    /**
     * Answers a token request: who asks, for what, may they.
     *
     * @throws TokenError with an RFC 6749 §5.2 code; PeerError when the peer's keys cannot be had.
     */
    async exchange(request: TokenEndpointRequest): Promise<IssuedToken> {
      try {
        return await answer(request)
      } catch (error) {
        if (error instanceof AppError) {
          const reason: unknown = error.detail?.['reason'] ?? error.code
          events.emit('token.refused', { reason: String(reason) })
        }
        throw error
      }
    },

    /** Drops the rows of tokens that have expired, at most `limit`. Returns how many. */
    removeExpired: (limit: number): Promise<number> =>
      inTransaction(db, (tx) => deleteExpiredTokens(tx, clock.now() - keptMs, limit)),

    listTokens: (shareId?: string) => selectAccessTokens(db, shareId),

    /** The next request with this token is refused; others of the same share go on. */
    async revokeToken(jti: string): Promise<AccessToken> {
      await getToken(jti)
      await inTransaction(db, (tx) => revokeAccessToken(tx, jti, clock.now()))
      events.emit('token.revoked', { jti })
      return getToken(jti)
    },
  }
}
