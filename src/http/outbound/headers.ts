import { OutboundError } from './errors.ts'

/** Fields the connection owns; set by a caller they could desynchronise or misdirect it. */
const owned = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'accept-encoding',
])

/** A request that carries one of these proves who we are, so it goes nowhere else. */
const credentials = new Set([
  'authorization',
  'cookie',
  'signature',
  'signature-input',
  'proxy-authorization',
])

const namePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 §5.5: no CR, LF, NUL or other controls. */
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * The fields of an outgoing request, lower-cased. A token that a peer sent us may be in them, so a
 * line break is refused here and not left to luck.
 *
 * @throws OutboundError `bad_request`
 */
export function requestHeaders(
  given: Readonly<Record<string, string>>,
  host: string,
): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': 'davmesh' }
  const seen = new Set<string>()
  for (const [name, value] of Object.entries(given)) {
    const key = name.toLowerCase()
    if (!namePattern.test(name) || !valuePattern.test(value) || owned.has(key) || seen.has(key)) {
      throw new OutboundError('bad_request', host, { detail: { field: key.slice(0, 40) } })
    }
    seen.add(key)
    headers[key] = value
  }
  // A coding is work for us and a bomb for them (robustness H5).
  headers['accept-encoding'] = 'identity'
  return headers
}

export const hasCredentials = (headers: Readonly<Record<string, string>>): boolean =>
  Object.keys(headers).some((name) => credentials.has(name.toLowerCase()))

/** The fields of an answer: lower-case names, repeated ones joined, no prototype to collide with. */
export function responseHeaders(
  received: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const headers = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(received)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}
