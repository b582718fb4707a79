import { hash } from 'node:crypto'
import { decodeProtectedHeader, errors, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { andThen, type Awaitable, type Clock } from '../core/index.ts'
import { remember, type Database } from '../db/index.ts'
import type { Keys } from '../keys/index.ts'
import type { Peers } from '../peers/index.ts'
import { prepareFindLiveToken, type LiveToken } from './queries.ts'

/** What a living access token opens. */
export interface VerifiedToken {
  readonly jti: string
  readonly shareId: string
  readonly ownerId: string
  readonly owner: string
  readonly path: readonly string[]
  readonly resourceType: 'file' | 'folder'
  readonly permissions: readonly ('read' | 'write' | 'share')[]
  /** The recipient's server. */
  readonly peer: string
}

/** `foreign`: no JWT at all, so perhaps a refresh token; `reason` is for the log. */
export type TokenVerdict =
  | { readonly status: 'valid'; readonly token: VerifiedToken }
  | { readonly status: 'foreign' }
  | { readonly status: 'invalid'; readonly reason: string }

export interface VerifyDeps {
  db: Database
  clock: Clock
  keys: Pick<Keys, 'verificationKey'>
  peers: Pick<Peers, 'isDenied'>
  /** Our `publicUrl`. */
  issuer: string
  /** How many verified tokens are remembered; 0 verifies each time. */
  cacheSize?: number
}

interface SignedClaims {
  jti: string
  audience: string
  clientId: string
  subject: string
  issuedAt: number
  expiresAt: number
}

/** The shape of a compact JWS, judged before anything is decoded (RFC 7515 §7.1). */
const compactJws = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/
const maxTokenLength = 4096

const maxSkewMs = 60_000

/**
 * Verifies our own access tokens: signature and claims once (remembered by the token's hash until
 * it expires), the token map on every request, so that revocation is immediate.
 */
export function createTokenVerifier(deps: VerifyDeps) {
  const { db, clock, keys, peers, issuer, cacheSize = 10_000 } = deps
  const findLive = prepareFindLiveToken(db)
  const max = Math.max(cacheSize, 1)
  const verified = new LRUCache<string, SignedClaims>({ max })
  const findRow = remember(db, max, async (jti) => {
    const [row] = await findLive.execute({ jti, now: clock.now() })
    return row
  })

  async function verifyAnew(token: string, memory: string): Promise<TokenVerdict> {
    if (!compactJws.test(token)) return { status: 'foreign' }
    if (token.length > maxTokenLength) return invalid('token too long')
    const outcome = await verifySignature(token, keys, issuer, clock)
    if (typeof outcome === 'string') return invalid(outcome)
    verified.set(memory, outcome)
    return lookUp(outcome)
  }

  function lookUp(claims: SignedClaims): Awaitable<TokenVerdict> {
    const now = clock.now()
    // RFC 7519 §4.1.6; a stepped clock of ours may be off by a little.
    if (claims.issuedAt > now + maxSkewMs) return invalid('issued in the future')
    // RFC 7519 §4.1.4: not accepted on or after the expiry.
    if (now >= claims.expiresAt) return invalid('expired')
    return andThen(findRow(claims.jti), (row) => {
      if (row === undefined || now >= Math.min(row.expiresAt, row.shareExpiresAt ?? Infinity))
        return invalid('revoked or unknown')
      return andThen(peers.isDenied(row.recipientHost), (isDenied) =>
        isDenied ? invalid('recipient is denied') : compare(claims, row),
      )
    })
  }

  return function verify(token: string): Awaitable<TokenVerdict> {
    const memory = hash('sha256', token, 'base64')
    const claims = cacheSize > 0 ? verified.get(memory) : undefined
    return claims === undefined ? verifyAnew(token, memory) : lookUp(claims)
  }
}

/** RFC 7519 §4.1: the row is the truth; a token that says otherwise was not issued for it. */
function compare(claims: SignedClaims, row: LiveToken): TokenVerdict {
  const { ownerId, owner, path, resourceType, permissions, shareId, recipientHost: peer } = row
  const agrees =
    row.recipient === claims.audience && shareId === claims.clientId && owner === claims.subject
  if (!agrees) return invalid('claims differ from the token map')
  const { jti } = claims
  return {
    status: 'valid',
    token: { jti, shareId, ownerId, owner, path, resourceType, permissions, peer },
  }
}

const invalid = (reason: string): TokenVerdict => ({ status: 'invalid', reason })

/**
 * RFC 8725 §3.1: the algorithm comes from our key record, the header only has to agree. Keys named
 * or carried by the header (`jwk`, `jku`, `x5u`, `x5c`) are never looked at (§3.10).
 */
async function verifySignature(
  token: string,
  keys: VerifyDeps['keys'],
  issuer: string,
  clock: Clock,
): Promise<SignedClaims | string> {
  try {
    const header = decodeProtectedHeader(token)
    if (typeof header.kid !== 'string' || header.kid.length > 512) return 'bad kid'
    if ('zip' in header || 'b64' in header || 'enc' in header) return 'unsupported header'
    const known = await keys.verificationKey(header.kid)
    if (known === undefined) return 'unknown kid'
    const { payload } = await jwtVerify(token, known.key, {
      algorithms: [known.alg],
      typ: 'at+jwt',
      issuer,
      requiredClaims: ['exp', 'iat', 'jti', 'sub', 'aud', 'client_id'],
      currentDate: new Date(clock.now()),
    })
    const { jti, aud, sub, exp, iat, client_id: clientId } = payload
    if (typeof jti !== 'string' || typeof aud !== 'string' || typeof sub !== 'string') {
      return 'malformed claims'
    }
    if (typeof clientId !== 'string' || !Number.isSafeInteger(exp) || !Number.isSafeInteger(iat)) {
      return 'malformed claims'
    }
    const times = { issuedAt: (iat ?? 0) * 1000, expiresAt: (exp ?? 0) * 1000 }
    return { jti, audience: aud, subject: sub, clientId, ...times }
  } catch (error) {
    return error instanceof errors.JOSEError ? error.code : 'malformed'
  }
}
