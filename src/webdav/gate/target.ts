import { isSegment } from '../../files/index.ts'
import { badRequest } from '../errors.ts'

/** A request target as decoded segments. */
export interface Target {
  readonly segments: readonly string[]
  readonly trailingSlash: boolean
}

const refuse = () => badRequest('The path of the request is not acceptable.')

/** RFC 3986 §3.3 without escapes: what needs no decoding. */
const plain = /^[A-Za-z0-9._~!$&'()*+,;=:@-]+$/

/**
 * RFC 3986 §4.2: a relative reference puts `./` before a colon in its first segment. rclone sends
 * what it has written so as it is.
 */
const schemeGuard = /\/\.\/(?=[^/:]*:)/

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes a path exactly once; nobody after us decodes, resolves or normalises anything. */
export function parsePath(text: string): Target {
  if (!text.startsWith('/') || text.includes('#')) throw refuse()
  const query = text.indexOf('?')
  const raw = query < 0 ? text : text.slice(0, query)
  const path = raw.includes('/./') ? raw.replace(schemeGuard, '/') : raw
  const trailingSlash = path.endsWith('/')
  const inner = path.slice(1, trailingSlash ? -1 : undefined)
  if (inner === '') {
    if (path === '/') return { segments: [], trailingSlash }
    throw refuse()
  }
  return { segments: inner.split('/').map(decodeSegment), trailingSlash }
}

/** RFC 9112 §3.2: origin-form, absolute-form or `*`. */
export function parseRequestTarget(url: string): Target | '*' {
  if (url.startsWith('/')) return parsePath(url)
  if (url === '*') return '*'
  const absolute = /^https?:\/\/[^/?#]*/i.exec(url)
  if (!absolute) return parsePath(url)
  const rest = url.slice(absolute[0].length)
  return parsePath(rest.startsWith('/') ? rest : `/${rest}`)
}

function decodeSegment(raw: string): string {
  const segment = plain.test(raw) ? raw : decode(raw)
  if (!isSegment(segment)) throw refuse()
  return segment
}

function decode(raw: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(raw)) throw refuse()
  // Node hands over the bytes of the request line as latin1, one character each.
  const bytes = raw.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'))
  } catch {
    throw refuse()
  }
}

/** The reverse: also what quotes would end in HTML and XML attributes is escaped. */
export const encodeSegment = (segment: string): string =>
  plain.test(segment) && !segment.includes("'")
    ? segment
    : encodeURIComponent(segment).replaceAll("'", '%27')

export const encodePath = (path: readonly string[]): string => path.map(encodeSegment).join('/')
