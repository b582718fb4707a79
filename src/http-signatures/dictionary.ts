import {
  parseDictionary,
  serializeInnerList,
  type InnerList as LibraryInnerList,
} from 'structured-headers'

/**
 * RFC 8941 §3 as the parser returns it: an integer or decimal is a number, a string a string, a byte
 * sequence an `ArrayBuffer`, anything else is nothing a signature may hold. Stated here because the
 * library's own types lean on DOM types, which a server does not load.
 */
export type Parameters = ReadonlyMap<string, unknown>
type Item = readonly [value: unknown, parameters: Parameters]
export type InnerList = readonly [items: readonly Item[], parameters: Parameters]
export type Member = Item | InnerList

/** Why a field is not the dictionary we demand. */
type DictionaryProblem = 'too_large' | 'malformed' | 'duplicate'

export type ReadDictionary =
  | { readonly ok: true; readonly members: ReadonlyMap<string, Member> }
  | { readonly ok: false; readonly problem: DictionaryProblem }

/** Both caps bound the work a stranger can cause before any key is known. */
export const maxFieldLength = 8 * 1024
const maxMembers = 16

/**
 * Reads a dictionary (RFC 8941 §3.2) strictly: a repeated key or parameter is refused, where RFC 8941
 * lets the last one win and two readers could see two different signatures.
 */
export function readDictionary(text: string): ReadDictionary {
  if (text.length > maxFieldLength) return { ok: false, problem: 'too_large' }
  let members: ReadonlyMap<string, Member>
  try {
    members = parseDictionary(text)
  } catch {
    return { ok: false, problem: 'malformed' }
  }
  if (members.size > maxMembers) return { ok: false, problem: 'too_large' }
  const skeleton = skeletonOf(text)
  if (notRfc8941.test(skeleton)) return { ok: false, problem: 'malformed' }
  if (hasDuplicates(skeleton, members.size)) return { ok: false, problem: 'duplicate' }
  return { ok: true, members }
}

/** The items of a member and their parameters; `undefined` unless it is an inner list (§3.1.1). */
export function innerListOf(member: Member): InnerList | undefined {
  return isInnerList(member) ? member : undefined
}

/** The bytes of a member; `undefined` unless it is a byte sequence (§3.3.5). */
export function bytesOf([value]: Member): Uint8Array | undefined {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined
}

const isInnerList = (member: Member): member is InnerList => Array.isArray(member[0])

/** RFC 8941 §4.1.1.1; throws when a string is not printable ASCII. */
export function innerListText(list: InnerList): string {
  return serializeInnerList(list as LibraryInnerList)
}

/** RFC 8941 §4.1.8. */
export function byteSequenceText(bytes: Uint8Array): string {
  return `:${Buffer.from(bytes).toString('base64')}:`
}

/**
 * Outside strings: display strings and dates are of RFC 9651, RFC 9421 speaks RFC 8941. A decimal
 * without a fraction (`1.0`) is legal, but the parser returns it as the integer 1.
 */
const notRfc8941 = /%"|@|[=( ]-?\d+\.0+(?!\d)/

/** The text with empty strings and byte sequences, so that every delimiter left is a delimiter. */
function skeletonOf(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|:[A-Za-z0-9+/=]*:/g, (value) =>
    value.startsWith('"') ? '""' : '::',
  )
}

/** The parameters of one item or inner list: every `;key` or `;key=value` in a row. */
const parameterRun = /(?:; *[a-z*][a-z0-9_\-.*]*(?:=[^;, )]*)?)+/g

function hasDuplicates(skeleton: string, memberCount: number): boolean {
  if (memberCount > 0 && skeleton.split(',').length !== memberCount) return true
  for (const [run] of skeleton.matchAll(parameterRun)) {
    const keys = run
      .split(';')
      .slice(1)
      .map((parameter) => parameter.split('=', 1)[0]?.trim())
    if (new Set(keys).size !== keys.length) return true
  }
  return false
}
