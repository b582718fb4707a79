import { createPublicKey, type KeyObject } from 'node:crypto'
import { findAlgorithm, signatureAlgorithms, type SignatureAlgorithm } from './algorithms.ts'

/** A JSON Web Key as a stranger published it: nothing in it is checked yet (RFC 7517). */
export type Jwk = Readonly<Record<string, unknown>>

export type FoundKey =
  | { readonly status: 'found'; readonly jwk: Jwk }
  | { readonly status: 'missing' }
  /** Two keys with this `kid`: neither can be told to be the one. */
  | { readonly status: 'ambiguous' }
  /** Not a JWK set at all. */
  | { readonly status: 'malformed' }

/** The key of a JWK set (RFC 7517 §5) whose `kid` equals `keyId` exactly. */
export function findKey(jwks: unknown, keyId: string): FoundKey {
  if (!isRecord(jwks) || !Array.isArray(jwks['keys'])) return { status: 'malformed' }
  const keys: readonly unknown[] = jwks['keys']
  const [jwk, second] = keys.filter(isRecord).filter((key) => key['kid'] === keyId)
  if (second) return { status: 'ambiguous' }
  return jwk ? { status: 'found', jwk } : { status: 'missing' }
}

/** Why a JWK cannot verify anything. */
export type KeyProblem =
  /** Private or symmetric key material was published. */
  | 'key_not_public'
  | 'key_alg_missing'
  | 'key_alg_unsupported'
  /** `alg` disagrees with `kty` or `crv`. */
  | 'key_alg_mismatch'
  /** `use` or `key_ops` do not allow verifying. */
  | 'key_not_for_signatures'
  /** An RSA key below 2048 bits, or beyond 8192, which only costs us time. */
  | 'key_size'
  | 'key_malformed'

export type ImportedKey =
  | { readonly ok: true; readonly algorithm: SignatureAlgorithm; readonly key: KeyObject }
  | { readonly ok: false; readonly reason: KeyProblem }

/** Turns a JWK into the one algorithm and key it stands for (RFC 7517 §4, RFC 8725 §3.1, §3.5). */
export function importJwk(jwk: Jwk): ImportedKey {
  if (jwk['kty'] === 'oct' || privateMembers.some((name) => Object.hasOwn(jwk, name))) {
    return refuse('key_not_public')
  }
  const { alg, kty, crv, use, key_ops: operations } = jwk
  if (typeof alg !== 'string' || alg === '') return refuse('key_alg_missing')
  const algorithm = findAlgorithm(alg)
  if (!algorithm) return refuse('key_alg_unsupported')
  const facts = signatureAlgorithms[algorithm]
  if (kty !== facts.kty || ('crv' in facts && crv !== facts.crv)) return refuse('key_alg_mismatch')
  if (use !== undefined && use !== 'sig') return refuse('key_not_for_signatures')
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return refuse('key_not_for_signatures')
  }
  const key = readKey(jwk)
  if (!key) return refuse('key_malformed')
  return hasSaneSize(key) ? { ok: true, algorithm, key } : refuse('key_size')
}

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** Node refuses points off the curve and coordinates of the wrong length by throwing. */
function readKey({ kty, crv, x, y, n, e }: Jwk): KeyObject | undefined {
  const members = Object.entries({ kty, crv, x, y, n, e }).filter(
    ([, value]) => value !== undefined,
  )
  try {
    return createPublicKey({ key: Object.fromEntries(members), format: 'jwk' })
  } catch {
    return undefined
  }
}

/** What is long enough to trust and short enough to compute with. */
export function hasSaneSize(key: KeyObject): boolean {
  if (key.asymmetricKeyType !== 'rsa') return true
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  return modulusLength >= 2048 && modulusLength <= 8192 && publicExponent >= 3n
}

const isRecord = (value: unknown): value is Jwk =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const refuse = (reason: KeyProblem): ImportedKey => ({ ok: false, reason })
