import { innerListText, type InnerList } from './dictionary.ts'

/** What component values are drawn from: the signature context of a request (RFC 9421 §1.1). */
export interface SignatureContext {
  readonly method: string
  readonly targetUri: string
  /** Combined field values by lower-case name. */
  readonly fields: ReadonlyMap<string, string>
}

export type ComponentProblem =
  | 'component_malformed'
  | 'component_duplicate'
  | 'component_parameterised'
  | 'component_unknown'
  /** Covered, but the message has no such field. */
  | 'component_absent'
  /** The value holds a line break or a byte outside ASCII (RFC 9421 §2.5). */
  | 'component_unsignable'

export type SignatureBase =
  | { readonly ok: true; readonly components: readonly string[]; readonly base: Uint8Array }
  | { readonly ok: false; readonly reason: ComponentProblem }

/**
 * Combined field values by lower-case name from node's alternating name/value array.
 * RFC 9421 §2.1: trim each line, unfold it, join with a comma and a space.
 */
export function readFields(rawHeaders: readonly string[]): Map<string, string> {
  const lines = new Map<string, string[]>()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    const value = unfold(rawHeaders[index + 1] ?? '')
    const known = lines.get(name)
    if (known) known.push(value)
    else lines.set(name, [value])
  }
  return new Map([...lines].map(([name, values]) => [name, values.join(', ')]))
}

const unfold = (line: string): string =>
  trim(
    line
      .split(/\r?\n[ \t]+/)
      .map(trim)
      .join(' '),
  )

/** Spaces and tabs only, by index: `[ \t]+$` would be quadratic on a long run inside the value. */
function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text[start])) start += 1
  while (end > start && isBlank(text[end - 1])) end -= 1
  return text.slice(start, end)
}

const isBlank = (character: string | undefined) => character === ' ' || character === '\t'

/** RFC 9421 §2: a field name is lower-case. */
const fieldName = /^[a-z0-9!#$%&'*+\-.^_`|~]+$/

/** The signature base of RFC 9421 §2.5 for the covered components and parameters of `input`. */
export function signatureBase(input: InnerList, context: SignatureContext): SignatureBase {
  const components = new Set<string>()
  let base = ''
  for (const [name, parameters] of input[0]) {
    if (typeof name !== 'string') return refuse('component_malformed')
    // A variant such as "content-digest";bs is another component with another value (RFC 9421 §2).
    if (parameters.size > 0) return refuse('component_parameterised')
    if (components.has(name)) return refuse('component_duplicate')
    if (!name.startsWith('@') && !fieldName.test(name)) return refuse('component_malformed')
    if (name.startsWith('@') && !derivable.has(name)) return refuse('component_unknown')
    const value = derivable.get(name)?.(context) ?? context.fields.get(name)
    if (value === undefined) return refuse('component_absent')
    if (!/^[\t\x20-\x7e]*$/.test(value)) return refuse('component_unsignable')
    components.add(name)
    base += `"${name}": ${value}\n`
  }
  base += `"@signature-params": ${innerListText(input)}`
  return { ok: true, components: [...components], base: Buffer.from(base, 'ascii') }
}

const refuse = (reason: ComponentProblem): SignatureBase => ({ ok: false, reason })

/** RFC 9421 §2.2: what can be derived from a request without knowing another message. */
const derivable: ReadonlyMap<string, (context: SignatureContext) => string | undefined> = new Map([
  ['@method', ({ method }: SignatureContext) => method],
  ['@target-uri', ({ targetUri }) => targetUri],
  ['@scheme', ({ targetUri }) => parseUri(targetUri)?.scheme],
  ['@authority', ({ targetUri }) => parseUri(targetUri)?.authority],
  // The origin form, the only one our routes answer (RFC 9421 §2.2.5).
  ['@request-target', ({ targetUri }) => requestTarget(targetUri)],
  ['@path', ({ targetUri }) => parseUri(targetUri)?.path],
  // RFC 9421 §2.2.7: an absent query is a lone question mark.
  [
    '@query',
    ({ targetUri }) => {
      const uri = parseUri(targetUri)
      return uri && (uri.query || '?')
    },
  ],
])

/** Path and query, as they were sent. */
export function requestTarget(targetUri: string): string | undefined {
  const uri = parseUri(targetUri)
  return uri && uri.path + uri.query
}

/** Path and query stay as they were sent; scheme and authority are normalised (RFC 9421 §2.2.3). */
function parseUri(targetUri: string) {
  const [, path, query = ''] = /^[^:/?#]+:\/\/[^/?#]*([^?#]*)(\?[^#]*)?/.exec(targetUri) ?? []
  if (path === undefined || !URL.canParse(targetUri)) return undefined
  const { protocol, host } = new URL(targetUri)
  return { scheme: protocol.slice(0, -1), authority: host, path: path || '/', query }
}
