import { isReservedName, isSegment, type TreePath } from '../../files/index.ts'

/** Where the `href` of a response leads, seen from the collection that was asked. */
export type Place = 'self' | { readonly member: string }

/**
 * Reads the hrefs of answers to a request for `url` (RFC 4918 §8.3: absolute URLs or paths). Whatever
 * is neither the resource itself nor directly below it, or has a name that no member of ours can
 * have, is `undefined`.
 */
export function createPlacer(url: string): (href: string) => Place | undefined {
  const asked = new URL(url)
  const base = segmentsOf(asked.pathname) ?? []
  const usual = asked.pathname.endsWith('/') ? asked.pathname : `${asked.pathname}/`
  return (href) => {
    const path = pathOf(href, asked)
    if (path === undefined) return undefined
    // Nearly always the same text, and only one segment is left to look at.
    if (path.startsWith(usual) && usual !== '/') return placeOf(path.slice(usual.length))
    const segments = segmentsOf(path)
    if (segments === undefined || !base.every((segment, index) => segment === segments[index])) {
      return undefined
    }
    if (segments.length === base.length) return 'self'
    const [name] = segments.slice(base.length)
    return segments.length === base.length + 1 ? memberOf(name) : undefined
  }
}

/** Hosts are compared without the scheme: proxies that end TLS often make their servers forget it. */
function pathOf(href: string, asked: URL): string | undefined {
  const text = href.trim()
  if (text.startsWith('/') && !text.startsWith('//')) return text
  const [, path] = /^https?:\/\/[^/?#]+(\/[^?#]*)$/i.exec(text) ?? []
  if (path === undefined || !URL.canParse(text)) return undefined
  return new URL(text).host === asked.host ? path : undefined
}

function placeOf(rest: string): Place | undefined {
  if (rest === '') return 'self'
  const segment = rest.endsWith('/') ? rest.slice(0, -1) : rest
  return segment.includes('/') ? undefined : memberOf(decode(segment))
}

const memberOf = (name: string | undefined): Place | undefined =>
  name !== undefined && isSegment(name) && !isReservedName(name) ? { member: name } : undefined

/** The decoded segments of a path, or `undefined` where one is empty or steps up or down. */
function segmentsOf(path: string): TreePath | undefined {
  if (path === '' || path === '/') return []
  const inner = path.slice(1, path.endsWith('/') ? -1 : undefined)
  const segments = inner.split('/').map(decode)
  const isWhole = segments.every((segment) => segment !== undefined && !/^\.{0,2}$/.test(segment))
  return isWhole ? (segments as string[]) : undefined
}

function decode(segment: string): string | undefined {
  // What ends a path is part of no segment.
  if (/[?#]/.test(segment)) return undefined
  try {
    return segment.includes('%') ? decodeURIComponent(segment) : segment
  } catch {
    return undefined
  }
}
