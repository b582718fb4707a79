import { createHash } from 'node:crypto'
import type { DigestProblem, DigestVerdict } from './digest.ts'

/** RFC 3230 names that are still worth something; they are case-insensitive. */
const recognised = new Map([
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
])

/** The `Digest` field value of a body, SHA-512 as Nextcloud writes it (RFC 3230 §4.3.2). */
export const instanceDigest = (body: Uint8Array): string =>
  `SHA-512=${createHash('sha512').update(body).digest('base64')}`

/**
 * Whether a `Digest` field value vouches for the bytes as they were received. As with
 * `Content-Digest`, every recognised digest must match, and one must be there.
 */
export function verifyInstanceDigest(header: string, body: Uint8Array): DigestVerdict {
  const seen = new Set<string>()
  for (const part of header.split(',')) {
    const [, name = '', value = ''] = /^\s*([A-Za-z0-9-]+)=([A-Za-z0-9+/]+=*)\s*$/.exec(part) ?? []
    if (value === '') return refuse('digest_malformed')
    const hash = recognised.get(name.toLowerCase())
    if (hash === undefined) continue
    if (seen.has(hash)) return refuse('digest_duplicate')
    seen.add(hash)
    const digest = createHash(hash).update(body).digest()
    if (!digest.equals(Buffer.from(value, 'base64'))) return refuse('digest_mismatch')
  }
  return seen.size > 0 ? { ok: true } : refuse('digest_unsupported')
}

const refuse = (reason: DigestProblem): DigestVerdict => ({ ok: false, reason })
