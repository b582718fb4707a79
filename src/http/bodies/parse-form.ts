import { HttpError } from '../errors.ts'

/** How many parameters a form may have. */
export interface FormLimits {
  /** Default 100. */
  readonly maxParameters?: number
}

const ampersand = 0x26

/**
 * `application/x-www-form-urlencoded` from raw bytes, strictly: no bad percent escape, no invalid
 * UTF-8, no byte that should have been escaped, and no name twice (RFC 6749 §3.2). An empty value
 * is kept as ''. Messages name the field, never its value.
 *
 * @throws HttpError `invalid_form`
 */
export function parseForm(
  bytes: Uint8Array,
  { maxParameters = 100 }: FormLimits = {},
): Map<string, string> {
  refuseCount(bytes, maxParameters)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const form = new Map<string, string>()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const rawName = equals === -1 ? pair : pair.slice(0, equals)
    const name = decode(rawName)
    if (name === undefined || name === '') {
      throw invalid(`The form has a malformed parameter name (${shown(rawName)})`)
    }
    if (form.has(name)) throw invalid(`The form has ${shown(name)} more than once`)
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1))
    if (value === undefined) throw invalid(`The form has a badly encoded value for ${shown(name)}`)
    form.set(name, value)
  }
  return form
}

/** Counted on the bytes, so that ten thousand parameters cost no allocation. */
function refuseCount(bytes: Uint8Array, maxParameters: number): void {
  let count = 1
  for (const byte of bytes) {
    if (byte === ampersand && ++count > maxParameters) {
      throw invalid(`The form has more than ${maxParameters} parameters`)
    }
  }
}

function decode(text: string): string | undefined {
  if (/[^\x21-\x7e]/.test(text)) return undefined
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/** A name fit for a message: short, printable. */
const shown = (name: string): string =>
  `"${name.slice(0, 40).replace(/[^\x20-\x21\x23-\x7e]/g, '?')}"`

const invalid = (message: string): HttpError => new HttpError('invalid_form', message)
