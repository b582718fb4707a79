import { verify, type KeyObject } from 'node:crypto'
import { signatureAlgorithms, type AlgorithmFacts } from './algorithms.ts'
import { importJwk, type Jwk, type KeyProblem } from './jwk.ts'

/** Why a signature is not that of a key. */
export type VerificationProblem =
  | KeyProblem
  /** The `alg` parameter is not the registry name of the key's algorithm. */
  | 'alg_mismatch'
  /** Not the exact length: DER, truncated or padded (RFC 9421 §3.3.4). */
  | 'signature_length'
  | 'signature_wrong'

export type Verdict =
  { readonly ok: true } | { readonly ok: false; readonly reason: VerificationProblem }

/**
 * Verifies an inspected signature with a published key (RFC 9421 §3.2). The algorithm comes from the
 * JWK's `alg` alone; the signature's `alg` parameter may only agree with it. Never throws for
 * anything a peer can publish.
 */
export function verifySignature(
  signature: { readonly alg?: string; readonly base: Uint8Array; readonly bytes: Uint8Array },
  jwk: Jwk,
): Verdict {
  const { alg, base, bytes } = signature
  const imported = importJwk(jwk)
  if (!imported.ok) return imported
  const { algorithm, key } = imported
  if (alg !== undefined && alg !== algorithm) return refuse('alg_mismatch')
  const facts: AlgorithmFacts = signatureAlgorithms[algorithm]
  if (bytes.length !== (facts.signatureBytes ?? modulusBytes(key))) {
    return refuse('signature_length')
  }
  const genuine = verify(facts.hash, base, { key, dsaEncoding: 'ieee-p1363' }, bytes)
  return genuine ? { ok: true } : refuse('signature_wrong')
}

/** How long every RSA signature of a key is. */
export const modulusBytes = (key: KeyObject): number =>
  Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)

const refuse = (reason: VerificationProblem): Verdict => ({ ok: false, reason })
