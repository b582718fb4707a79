import { createHash } from 'node:crypto'
import { bytesOf, byteSequenceText, readDictionary } from './dictionary.ts'

/** Why a `Content-Digest` does not vouch for a body. */
export type DigestProblem =
  | 'digest_malformed'
  | 'digest_duplicate'
  /** Only deprecated or unknown algorithms (RFC 9530 §5). */
  | 'digest_unsupported'
  | 'digest_mismatch'

export type DigestVerdict =
  { readonly ok: true } | { readonly ok: false; readonly reason: DigestProblem }

/** RFC 9530 §5: the two active algorithms; everything else is deprecated or unknown. */
const recognised = { 'sha-256': 'sha256', 'sha-512': 'sha512' } as const

/**
 * The `Content-Digest` field value of a body as it goes over the wire, always `sha-256` (RFC 9530 §2).
 * An empty body has a digest too.
 */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=${byteSequenceText(createHash('sha256').update(body).digest())}`
}

/**
 * Whether a `Content-Digest` field value (repeated lines joined with `, `) vouches for the bytes as
 * they were received, before any content decoding. Every recognised digest must match; unknown
 * algorithms beside a recognised one are ignored (RFC 9530 §2, §6.6).
 */
export function verifyContentDigest(header: string, body: Uint8Array): DigestVerdict {
  const read = readDictionary(header)
  if (!read.ok) {
    return refuse(read.problem === 'duplicate' ? 'digest_duplicate' : 'digest_malformed')
  }
  let matched = 0
  for (const [algorithm, hash] of Object.entries(recognised)) {
    const member = read.members.get(algorithm)
    if (member === undefined) continue
    const claimed = bytesOf(member)
    if (claimed === undefined) return refuse('digest_malformed')
    if (!createHash(hash).update(body).digest().equals(claimed)) return refuse('digest_mismatch')
    matched += 1
  }
  return matched > 0 ? { ok: true } : refuse('digest_unsupported')
}

/** Whether a refusal is about the body's digest: such a request is 400, where others are 401. */
export function isDigestProblem(reason: string): reason is DigestProblem {
  return reason.startsWith('digest_')
}

const refuse = (reason: DigestProblem): DigestVerdict => ({ ok: false, reason })
