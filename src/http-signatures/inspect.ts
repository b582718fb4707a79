import { isSignatureAlgorithm, type SignatureAlgorithm } from './algorithms.ts'
import { readFields, signatureBase, type ComponentProblem } from './components.ts'
import type { InnerList, Parameters } from './dictionary.ts'
import { verifyContentDigest, type DigestProblem } from './digest.ts'
import { selectSignature, type SelectionProblem } from './select.ts'

/** A request as it arrived. */
export interface ReceivedRequest {
  /** As received, case and all. */
  readonly method: string
  /** Our configured origin plus the raw request target; never built from `Host` or forwarded fields. */
  readonly targetUri: string
  /** Node's alternating name/value array, where repeated field lines are still visible. */
  readonly rawHeaders: readonly string[]
  /** The raw bytes, before any content decoding. */
  readonly body: Uint8Array
}

export interface InspectionPolicy {
  /** Now, in epoch seconds. */
  readonly nowSeconds: number
  /** The oldest `created` accepted, in seconds before now; the boundary itself is accepted. */
  readonly maxAgeSeconds: number
  /** The furthest `created` accepted, in seconds after now; the boundary itself is accepted. */
  readonly maxSkewSeconds: number
  /**
   * Whether a signature labelled `ocm` without any tag is one of ours, as in OCM draft-05; it must
   * cover `date` too. Default `true`; with `false` such a message is unsigned.
   */
  readonly acceptUntagged?: boolean
}

type ParameterProblem = 'created_invalid' | 'expires_invalid' | 'keyid_invalid' | 'alg_unsupported'

/** Why a signed request was refused; stable, safe to log. */
export type RefusalReason =
  | SelectionProblem
  | ParameterProblem
  | 'created_stale'
  | 'created_future'
  | 'expired'
  /** One of the components the policy demands is not covered. */
  | 'component_missing'
  | ComponentProblem
  /** The four that answer 400; `isDigestProblem` tells them apart. */
  | DigestProblem
  | 'length_mismatch'

/** A signature that passed every check that needs no key; it is **not verified**. */
export interface InspectedSignature {
  /** The `keyid` parameter as sent, 1 to 2048 characters. */
  readonly keyId: string
  /** The `alg` parameter when there was one; the key decides the algorithm, not this. */
  readonly alg?: SignatureAlgorithm
  /** The covered components in their order. */
  readonly components: readonly string[]
  /** The signature base (RFC 9421 §2.5): the bytes that were signed. */
  readonly base: Uint8Array
  /** The signature itself. */
  readonly bytes: Uint8Array
  /** Epoch seconds. */
  readonly created: number
  readonly label: string
}

export type Inspection =
  | { readonly status: 'unsigned' }
  | { readonly status: 'refused'; readonly reason: RefusalReason }
  | { readonly status: 'inspected'; readonly signature: InspectedSignature }

const maxKeyIdLength = 2048
const requiredComponents = ['@method', '@target-uri', 'content-digest', 'content-length']

/**
 * Every check of a received signature that needs no key (RFC 9421 §3.2), so that nothing is fetched
 * for a message that fails on its own: exactly one OCM signature, parameters, freshness, covered
 * components, then digest and length. Never throws, whatever a stranger sends.
 */
export function inspectSignature(request: ReceivedRequest, policy: InspectionPolicy): Inspection {
  const fields = readFields(request.rawHeaders)
  const selection = selectSignature(fields, policy.acceptUntagged ?? true)
  if (selection.status !== 'selected') return selection
  const { label, input, bytes, tagged } = selection

  const parameters = readParameters(input[1])
  if (typeof parameters === 'string') return refuse(parameters)
  const { keyId, alg, created } = parameters
  const untimely = judgeFreshness(parameters, policy)
  if (untimely) return refuse(untimely)

  // Clients drop the zero that was signed when there is no content (RFC 9110 §8.6).
  if (request.body.length === 0 && !fields.has('content-length')) fields.set('content-length', '0')
  const missing = missingComponent(input, tagged)
  if (missing) return refuse('component_missing')
  const covered = signatureBase(input, { ...request, fields })
  if (!covered.ok) return refuse(covered.reason)

  const digest = verifyContentDigest(fields.get('content-digest') ?? '', request.body)
  if (!digest.ok) return refuse(digest.reason)
  // Two lines combine to `5, 5` and fail here too (RFC 9110 §8.6).
  if (fields.get('content-length') !== String(request.body.length)) return refuse('length_mismatch')

  const { components, base } = covered
  const signature = { keyId, ...(alg && { alg }), components, base, bytes, created, label }
  return { status: 'inspected', signature }
}

interface SignatureParameters {
  readonly created: number
  readonly expires: number | undefined
  readonly keyId: string
  readonly alg: SignatureAlgorithm | undefined
}

/** RFC 9421 §2.3: `created` and `expires` are integers, `keyid` and `alg` strings. */
function readParameters(parameters: Parameters): SignatureParameters | ParameterProblem {
  const created = parameters.get('created')
  if (!isInteger(created)) return 'created_invalid'
  const expires = parameters.get('expires')
  if (expires !== undefined && !isInteger(expires)) return 'expires_invalid'
  const keyId = parameters.get('keyid')
  if (typeof keyId !== 'string' || keyId === '' || keyId.length > maxKeyIdLength) {
    return 'keyid_invalid'
  }
  const alg = parameters.get('alg')
  // JOSE names and symmetric algorithms end here, before anybody looks for a key.
  if (alg !== undefined && !(typeof alg === 'string' && isSignatureAlgorithm(alg))) {
    return 'alg_unsupported'
  }
  return { created, expires, keyId, alg }
}

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value)

function judgeFreshness(
  { created, expires }: SignatureParameters,
  { nowSeconds, maxAgeSeconds, maxSkewSeconds }: InspectionPolicy,
): RefusalReason | undefined {
  if (!(created >= nowSeconds - maxAgeSeconds)) return 'created_stale'
  if (!(created <= nowSeconds + maxSkewSeconds)) return 'created_future'
  if (expires !== undefined && !(expires >= nowSeconds)) return 'expired'
  return undefined
}

/** A parameterised variant is another component and does not count (RFC 9421 §2). */
function missingComponent([items]: InnerList, tagged: boolean): string | undefined {
  const bare = new Set(
    items.filter(([, parameters]) => parameters.size === 0).map(([name]) => name),
  )
  return [...requiredComponents, ...(tagged ? [] : ['date'])].find((name) => !bare.has(name))
}

const refuse = (reason: RefusalReason): Inspection => ({ status: 'refused', reason })
