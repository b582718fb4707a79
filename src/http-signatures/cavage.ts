import { parseAuthority } from '../core/index.ts'
import { readFields, requestTarget } from './components.ts'
import { maxFieldLength } from './dictionary.ts'
import type { DigestProblem } from './digest.ts'
import type { InspectionPolicy, ReceivedRequest } from './inspect.ts'
import { verifyInstanceDigest } from './instance-digest.ts'

/** What Nextcloud 31 to 34 may sign with. */
export type CavageAlgorithm = 'rsa-sha256' | 'rsa-sha512'

/** Why a draft-cavage signature was refused; stable, safe to log. */
export type CavageProblem =
  | 'fields_too_large'
  | 'fields_duplicate'
  | 'keyid_invalid'
  | 'alg_unsupported'
  | 'component_missing'
  | 'component_duplicate'
  | 'component_absent'
  | 'component_unsignable'
  | 'date_invalid'
  | 'created_stale'
  | 'created_future'
  | 'host_mismatch'
  | DigestProblem
  | 'length_mismatch'

/** A draft-cavage signature that passed every check that needs no key; it is **not verified**. */
export interface InspectedCavage {
  /** As sent, 1 to 2048 characters. */
  readonly keyId: string
  readonly algorithm: CavageAlgorithm
  /** The signing string: the bytes that were signed. */
  readonly base: Uint8Array
  readonly bytes: Uint8Array
}

export type CavageInspection =
  | { readonly status: 'unsigned' }
  | { readonly status: 'refused'; readonly reason: CavageProblem }
  | { readonly status: 'inspected'; readonly signature: InspectedCavage }

const required = ['(request-target)', 'date', 'digest', 'host']
const unsigned = { status: 'unsigned' } as const

/**
 * Every check of a draft-cavage-http-signatures-12 signature that needs no key: parameters, covered
 * fields, freshness by `Date`, our own `Host`, then digest and length. `Signature` in any other form
 * (the OCM stub has one) counts as unsigned. Never throws, whatever a stranger sends.
 */
export function inspectCavage(
  request: ReceivedRequest,
  policy: Omit<InspectionPolicy, 'acceptUntagged'>,
): CavageInspection {
  const fields = readFields(request.rawHeaders)
  const field = fields.get('signature')
  if (field === undefined || fields.has('signature-input')) return unsigned
  if (field.length > maxFieldLength) return refuse('fields_too_large')
  const parameters = readParameters(field)
  if (parameters === undefined) return unsigned
  if (typeof parameters === 'string') return refuse(parameters)
  const { keyId, algorithm, covered, bytes } = parameters

  if (required.some((name) => !covered.includes(name))) return refuse('component_missing')
  if (new Set(covered).size < covered.length) return refuse('component_duplicate')
  const target = requestTarget(request.targetUri)
  if (target !== undefined) {
    fields.set('(request-target)', `${request.method.toLowerCase()} ${target}`)
  }
  const lines: string[] = []
  for (const name of covered) {
    const value = fields.get(name)
    if (value === undefined) return refuse('component_absent')
    if (!/^[\t\x20-\x7e]*$/.test(value)) return refuse('component_unsignable')
    lines.push(`${name}: ${value}`)
  }
  const reason =
    judgeDate(fields.get('date') ?? '', policy) ??
    judgeHost(fields.get('host') ?? '', request.targetUri)
  if (reason) return refuse(reason)

  const digest = verifyInstanceDigest(fields.get('digest') ?? '', request.body)
  if (!digest.ok) return refuse(digest.reason)
  const length = String(request.body.length)
  if (covered.includes('content-length') && fields.get('content-length') !== length) {
    return refuse('length_mismatch')
  }
  const base = Buffer.from(lines.join('\n'), 'ascii')
  return { status: 'inspected', signature: { keyId, algorithm, base, bytes } }
}

/** Draft §2.1: `name="value"`, separated by commas. */
const parameter = /[\t ]*([A-Za-z]+)="([^"\\]*)"[\t ]*(?:,|$)/y
/** Field names, lower-case, separated by single spaces (draft §2.1.6). */
const fieldList = /^[a-z0-9!#$%&'*+\-.^_`|~()]+( [a-z0-9!#$%&'*+\-.^_`|~()]+)*$/
const maxKeyIdLength = 2048

/** `undefined`: this is no draft-cavage signature at all. */
function readParameters(field: string) {
  const parameters = new Map<string, string>()
  parameter.lastIndex = 0
  while (parameter.lastIndex < field.length) {
    const [, name, value] = parameter.exec(field) ?? []
    if (name === undefined || value === undefined) return undefined
    if (parameters.has(name)) return 'fields_duplicate'
    parameters.set(name, value)
  }
  const keyId = parameters.get('keyId')
  const signature = parameters.get('signature')
  const list = parameters.get('headers')?.toLowerCase()
  if (keyId === undefined || signature === undefined || list === undefined) return undefined
  if (!fieldList.test(list) || !/^[A-Za-z0-9+/]+={0,2}$/.test(signature)) return undefined
  if (keyId === '' || keyId.length > maxKeyIdLength) return 'keyid_invalid'
  const algorithm = parameters.get('algorithm')
  if (algorithm !== 'rsa-sha512' && algorithm !== 'rsa-sha256') return 'alg_unsupported'
  const covered = list.split(' ')
  return { keyId, algorithm, covered, bytes: Buffer.from(signature, 'base64') } as const
}

/** RFC 9110 §5.6.7: IMF-fixdate, the only form to be generated, is what JavaScript writes. */
function judgeDate(
  date: string,
  { nowSeconds, maxAgeSeconds, maxSkewSeconds }: Omit<InspectionPolicy, 'acceptUntagged'>,
): CavageProblem | undefined {
  const seconds = Date.parse(date) / 1000
  if (!Number.isFinite(seconds) || new Date(seconds * 1000).toUTCString() !== date) {
    return 'date_invalid'
  }
  if (seconds < nowSeconds - maxAgeSeconds) return 'created_stale'
  return seconds > nowSeconds + maxSkewSeconds ? 'created_future' : undefined
}

/** The signature covers no origin but this: a message for another server must not pass here. */
function judgeHost(host: string, targetUri: string): CavageProblem | undefined {
  const ours = new URL(targetUri)
  const scheme = ours.protocol === 'http:' ? 'http' : 'https'
  return parseAuthority(host, scheme) === ours.host ? undefined : 'host_mismatch'
}

const refuse = (reason: CavageProblem): CavageInspection => ({ status: 'refused', reason })
