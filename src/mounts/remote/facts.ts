import { createHash } from 'node:crypto'
import type { Entry } from '../../files/index.ts'

/** What a peer says of a file or directory, as it says it. */
export interface Facts {
  readonly isDirectory: boolean
  readonly size?: string | undefined
  readonly modified?: string | undefined
  readonly created?: string | undefined
  readonly etag?: string | undefined
}

/** An entry of a peer. */
export interface RemoteEntry extends Entry {
  /** The peer does not say how large the file is, and `size` is 0. */
  readonly isUnsized?: true
}

const strong = /^"[\x21\x23-\x7e]{1,200}"$/

/** Ours, for what has no strong tag of its own. */
const derivedPrefix = '"~'

/** Whether the peer would know a tag of ours as its own (RFC 9110 §8.8.3.2). */
export const isPeersTag = (etag: string): boolean => !etag.startsWith(derivedPrefix)

const sizeOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : undefined

/** RFC 9110 §5.6.7, RFC 3339, or what else is plainly a date. */
function instantOf(text: string | undefined): number | undefined {
  const instant = text === undefined || text.length > 64 ? NaN : Date.parse(text)
  return instant >= 0 ? instant : undefined
}

/** An entry of ours: where the peer says nothing, the least that can be said. */
export function toEntry(name: string, facts: Facts): RemoteEntry {
  const said = facts.isDirectory ? 0 : sizeOf(facts.size)
  const size = said ?? 0
  const modified = instantOf(facts.modified)
  const created = instantOf(facts.created)
  const modifiedAt = modified ?? created ?? 0
  return {
    name,
    kind: facts.isDirectory ? 'directory' : 'file',
    size,
    modifiedAt,
    createdAt: created ?? modifiedAt,
    etag: tagOf(facts, size, modifiedAt),
    ...(said === undefined && { isUnsized: true }),
  }
}

/** A weak tag, size and time together are what a peer without strong tags can be told apart by. */
function tagOf({ etag = '', isDirectory }: Facts, size: number, modifiedAt: number): string {
  const given = etag.trim()
  if (strong.test(given) && isPeersTag(given)) return given
  const known = JSON.stringify([given, isDirectory, size, Math.floor(modifiedAt / 1000)])
  const digest = createHash('sha256').update(known).digest('base64url')
  return `${derivedPrefix}${digest.slice(0, 22)}"`
}
