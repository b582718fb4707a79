import { isUtf8 } from 'node:buffer'
import { HttpError } from '../errors.ts'

/** How deep a JSON document may nest. */
export interface JsonLimits {
  /** Default 20. */
  readonly maxDepth?: number
}

const quote = 0x22
const backslash = 0x5c

/** Keys that turn a careless merge into a change of every object. */
const poisonous = new Set(['__proto__', 'constructor'])

/**
 * JSON (RFC 8259) from raw bytes, with what `JSON.parse` lets through refused: a byte order mark,
 * invalid UTF-8, deep nesting, unpaired surrogates, numbers beyond a double, `__proto__` and
 * `constructor` as keys. Messages never quote the input, which may be a secret.
 *
 * @throws HttpError `invalid_json`
 */
export function parseJson(bytes: Uint8Array, { maxDepth = 20 }: JsonLimits = {}): unknown {
  if (bytes.length === 0) throw invalid('The body is empty; JSON was expected')
  // RFC 8259 §8.1
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw invalid('The JSON text begins with a byte order mark')
  }
  if (!isUtf8(bytes)) throw invalid('The JSON text is not valid UTF-8')
  refuseDepth(bytes, maxDepth)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const value = parse(text)
  refuseOddities(value, /\\u[dD][89a-fA-F]/.test(text))
  return value
}

/** Counts brackets outside strings; in UTF-8 no byte of a longer character looks like one. */
function refuseDepth(bytes: Uint8Array, maxDepth: number): void {
  let depth = 0
  let inString = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (inString) {
      if (byte === backslash) at++
      else if (byte === quote) inString = false
    } else if (byte === quote) inString = true
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxDepth) throw invalid(`The JSON text nests deeper than ${maxDepth} levels`)
    } else if (byte === 0x7d || byte === 0x5d) depth--
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // V8's message quotes the input, so only the position is taken and the cause is dropped.
    const place = error instanceof Error ? / at position (\d+)/.exec(error.message)?.[1] : undefined
    throw invalid(`The body is not valid JSON${place === undefined ? '' : ` (character ${place})`}`)
  }
}

/** Recursion is safe: the depth is limited already. */
function refuseOddities(value: unknown, mayHaveSurrogates: boolean): void {
  if (typeof value === 'string') {
    if (mayHaveSurrogates && isIllFormed(value)) throw invalid(surrogateMessage)
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid('The JSON text has a number that is too large')
  } else if (Array.isArray(value)) {
    for (const item of value) refuseOddities(item, mayHaveSurrogates)
  } else if (typeof value === 'object' && value !== null) {
    const members = value as Record<string, unknown>
    for (const key of Object.keys(members)) {
      if (poisonous.has(key)) throw invalid(`The JSON text has the forbidden key "${key}"`)
      if (mayHaveSurrogates && isIllFormed(key)) throw invalid(surrogateMessage)
      refuseOddities(members[key], mayHaveSurrogates)
    }
  }
}

const surrogateMessage = 'The JSON text has an unpaired surrogate'

/** With the u flag a pair is one character, so only a lone half matches. */
const isIllFormed = (text: string): boolean => /\p{Surrogate}/u.test(text)

const invalid = (message: string): HttpError => new HttpError('invalid_json', message)
