import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import type { InspectedCavage } from './cavage.ts'
import { requestTarget } from './components.ts'
import { instanceDigest } from './instance-digest.ts'
import { hasSaneSize } from './jwk.ts'
import type { UnsignedRequest } from './sign.ts'
import { modulusBytes, type Verdict, type VerificationProblem } from './verify.ts'

const hashes = { 'rsa-sha256': 'sha256', 'rsa-sha512': 'sha512' } as const

/** Who signs the old way. */
export interface CavageSigner {
  /** The `keyId` of `publicKey` in our discovery document. */
  readonly keyId: string
  /** RSASSA-PKCS1-v1_5 with SHA-512. */
  sign(data: Uint8Array): Uint8Array
}

/**
 * Verifies an inspected signature with the key of a discovery document, RSASSA-PKCS1-v1_5. Never
 * throws for anything a peer can publish.
 */
export function verifyCavage(
  { algorithm, base, bytes }: InspectedCavage,
  publicKeyPem: string,
): Verdict {
  const key = readKey(publicKeyPem)
  if (typeof key === 'string') return wrong(key)
  if (bytes.length !== modulusBytes(key)) return wrong('signature_length')
  return verify(hashes[algorithm], base, key, bytes) ? { ok: true } : wrong('signature_wrong')
}

function readKey(pem: string): KeyObject | VerificationProblem {
  // Node would quietly take the public half of a private key.
  if (!/^\s*-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem)) return 'key_malformed'
  let key: KeyObject
  try {
    key = createPublicKey(pem)
  } catch {
    return 'key_malformed'
  }
  if (key.asymmetricKeyType !== 'rsa') return 'key_alg_mismatch'
  return hasSaneSize(key) ? key : 'key_size'
}

/**
 * The fields to add to a request for a peer that knows only draft-cavage, in the form of Nextcloud
 * 31 to 34. The `Host` that is signed is the one of `targetUri`.
 */
export function signCavage(
  { method, targetUri, body }: UnsignedRequest,
  { keyId, sign }: CavageSigner,
  date: string,
): Record<'date' | 'digest' | 'content-length' | 'signature', string> {
  const fields = { 'content-length': String(body.length), date, digest: instanceDigest(body) }
  const covered = {
    '(request-target)': `${method.toLowerCase()} ${requestTarget(targetUri) ?? ''}`,
    ...fields,
    host: new URL(targetUri).host,
  }
  const base = Object.entries(covered).map(([name, value]) => `${name}: ${value}`)
  const bytes = sign(Buffer.from(base.join('\n')))
  const parameters = {
    keyId,
    algorithm: 'rsa-sha512',
    headers: Object.keys(covered).join(' '),
    signature: Buffer.from(bytes).toString('base64'),
  }
  const signature = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`)
  return { ...fields, signature: signature.join(',') }
}

const wrong = (reason: VerificationProblem): Verdict => ({ ok: false, reason })
