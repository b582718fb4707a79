import type { SignatureAlgorithm } from './algorithms.ts'
import { signatureBase } from './components.ts'
import { byteSequenceText, innerListText, type InnerList } from './dictionary.ts'
import { contentDigest } from './digest.ts'

/** A request about to be sent. */
export interface UnsignedRequest {
  /** As it goes over the wire, upper-case. */
  readonly method: string
  /** The absolute URI as the receiver knows itself, without fragment (RFC 9421 §2.2.2). */
  readonly targetUri: string
  /** The bytes on the wire; empty for a request without content. */
  readonly body: Uint8Array
  /** `date` is the `Date` field the request will carry; used only with `coverDate`. */
  readonly headers?: { readonly date?: string }
}

/** Who signs: "sign this" is a verb, the private key stays where it lives. */
export interface RequestSigner {
  /** The `keyid` parameter, equal to the `kid` of the published JWK; printable ASCII. */
  readonly keyId: string
  readonly algorithm: SignatureAlgorithm
  /** Signs the base; ECDSA answers raw r||s, not DER (RFC 9421 §3.3.4). */
  sign(data: Uint8Array): Promise<Uint8Array> | Uint8Array
}

export interface SigningOptions {
  /** Epoch seconds, an integer. */
  readonly created: number
  /** Cover `date` as well, for peers of OCM draft-05. */
  readonly coverDate?: boolean
}

/** The fields to add to the request; `date` only when it is covered. */
export interface SignatureHeaders {
  readonly 'content-digest': string
  readonly 'content-length': string
  readonly date?: string
  readonly 'signature-input': string
  readonly signature: string
}

/**
 * Signs a request in the form OCM peers expect: label and tag `ocm`, covering method, target URI,
 * content digest and length (RFC 9421 §3.1). With `coverDate` and no `headers.date` the `Date` is
 * that of `created`.
 *
 * Throws when `created` is no integer, when `keyId` or `targetUri` cannot stand in a signature base, and
 * whatever `signer.sign` throws: faults of this server, nothing a stranger can cause.
 */
export async function signRequest(
  request: UnsignedRequest,
  signer: RequestSigner,
  { created, coverDate = false }: SigningOptions,
): Promise<SignatureHeaders> {
  if (!Number.isSafeInteger(created)) throw new TypeError('created must be whole epoch seconds')
  const message = {
    'content-digest': contentDigest(request.body),
    'content-length': String(request.body.length),
    ...(coverDate && { date: request.headers?.date ?? new Date(created * 1000).toUTCString() }),
  }
  const covered = ['@method', '@target-uri', ...Object.keys(message)]
  const input = signatureInput(covered, created, signer)
  const result = signatureBase(input, { ...request, fields: new Map(Object.entries(message)) })
  if (!result.ok) throw new TypeError(`the request cannot be signed: ${result.reason}`)
  const signature = await signer.sign(result.base)
  return {
    ...message,
    'signature-input': `ocm=${innerListText(input)}`,
    signature: `ocm=${byteSequenceText(signature)}`,
  }
}

/** The order of the parameters is the one peers' golden tests compare with. */
function signatureInput(
  covered: readonly string[],
  created: number,
  { keyId, algorithm }: RequestSigner,
): InnerList {
  return [
    covered.map((name) => [name, new Map()]),
    new Map<string, string | number>([
      ['created', created],
      ['keyid', keyId],
      ['alg', algorithm],
      ['tag', 'ocm'],
    ]),
  ]
}
