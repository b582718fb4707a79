import { authorityOf, parseAuthority } from '../../core/index.ts'
import { badRequest } from '../errors.ts'
import type { Place, Settings } from '../exchange.ts'
import type { Principal } from '../../auth/index.ts'
import { DavError } from '../errors.ts'
import { findPlace } from './place.ts'
import { parsePath, type Target } from './target.ts'

/**
 * A URI in a header (RFC 4918 §8.3 Simple-ref: an absolute URI or an absolute path) as a target of
 * ours; `undefined` when it is on another authority.
 */
export function parseReference(text: string, publicUrl: URL): Target | undefined {
  // White space and controls have no place in a URI.
  if (/[\u0000-\u0020\u007f]/.test(text)) throw badRequest('A URI in a header is malformed.')
  if (text.startsWith('/')) return parsePath(text)
  const [, scheme = '', authority = '', path = ''] =
    /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i.exec(text) ?? []
  const known = scheme.toLowerCase()
  if (known !== 'http' && known !== 'https') throw badRequest('A URI in a header is malformed.')
  const normal = parseAuthority(authority, known)
  if (normal === undefined) throw badRequest('A URI in a header is malformed.')
  // Behind a proxy that ends TLS the scheme may differ; the authority may not.
  if (normal !== authorityOf(publicUrl)) return undefined
  return parsePath(path === '' ? '/' : path)
}

/** RFC 4918 §10.3, §9.8.5: where COPY and MOVE lead, which has to be the same tree. */
export function parseDestination(
  header: string | undefined,
  principal: Principal,
  settings: Settings,
): Place {
  if (header === undefined) throw badRequest('The Destination header is missing.')
  const target = parseReference(header, settings.publicUrl)
  if (!target) throw new DavError(502, 'The destination is on another server.')
  try {
    return findPlace(target, principal, settings.isShareId)
  } catch (cause) {
    throw new DavError(403, 'The destination is outside of this tree.', { cause })
  }
}
