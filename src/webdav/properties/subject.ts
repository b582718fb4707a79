import type { Entry, Space } from '../../files/index.ts'
import type { Exchange } from '../exchange.ts'
import { encodePath, encodeSegment } from '../gate/target.ts'
import { escapeXml } from '../../xml/index.ts'
import type { Subject } from './live.ts'

/** The URL path of the request's own resource; a directory's ends in a slash (RFC 4918 §5.2). */
export function hrefOf({ place }: Exchange, entry: Entry): string {
  const { base, path, trailingSlash } = place
  const inner = path.length === 0 ? base : `${base}/${encodePath(path)}`
  // The root of a file share is where its client found it.
  const slash = entry.kind === 'directory' || (path.length === 0 && trailingSlash)
  return escapeXml(slash ? `${inner}/` : inner)
}

export const subjectOf = (exchange: Exchange, entry: Entry, space: Space | undefined): Subject => ({
  entry,
  href: hrefOf(exchange, entry),
  isRoot: exchange.place.path.length === 0,
  displayName: displayNameOf(exchange, entry),
  permissions: exchange.permissions,
  space,
  lockDiscovery: '',
  dead: undefined,
})

/** Field by field, which is three times as fast as a spread. */
export const memberOf = (parent: Subject, entry: Entry): Subject => ({
  entry,
  href:
    parent.href + escapeXml(encodeSegment(entry.name)) + (entry.kind === 'directory' ? '/' : ''),
  isRoot: false,
  displayName: entry.name,
  permissions: entry.permissions ?? parent.permissions,
  space: parent.space,
  lockDiscovery: parent.lockDiscovery,
  dead: parent.dead,
})

function displayNameOf({ principal }: Exchange, entry: Entry): string {
  if (entry.name !== '') return entry.name
  return principal.kind === 'user' ? principal.username : ''
}
