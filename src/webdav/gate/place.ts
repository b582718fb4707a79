import type { Permission, Principal } from '../../auth/index.ts'
import { notFound } from '../errors.ts'
import type { Place } from '../exchange.ts'
import { encodeSegment, type Target } from './target.ts'

const everything: readonly Permission[] = ['read', 'write', 'share']

export function permissionsOf(principal: Principal): readonly Permission[] {
  switch (principal.kind) {
    case 'user':
      return everything
    case 'share':
      return principal.permissions
    case 'token':
      return []
  }
}

/**
 * Where a target lies in the one tree that the credential opens.
 *
 * @throws DavError 404 for everything else, so that nobody learns what exists elsewhere.
 */
export function findPlace(
  target: Target,
  principal: Principal,
  isShareId: (segment: string) => boolean,
): Place {
  const [dav, area, first, ...rest] = target.segments
  const { trailingSlash } = target
  if (dav !== 'dav') throw notFound()
  if (principal.kind === 'user') {
    if (area !== 'files' || first !== principal.username) throw notFound()
    return { base: `/dav/files/${encodeSegment(first)}`, path: rest, trailingSlash }
  }
  // A token of another issuer's opens nothing here by itself.
  if (principal.kind !== 'share' || area !== 'ocm') throw notFound()
  if (first === undefined) return { base: '/dav/ocm', path: [], trailingSlash }
  if (first === principal.shareId) {
    return { base: `/dav/ocm/${encodeSegment(first)}`, path: rest, trailingSlash }
  }
  if (isShareId(first)) throw notFound()
  return { base: '/dav/ocm', path: [first, ...rest], trailingSlash }
}
