import type { Entry, Expected } from '../../files/index.ts'
import { preconditionFailed } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { findPlace } from '../gate/place.ts'
import { parseReference } from '../gate/uri.ts'
import { parseEntityTags, strongMatch, weakMatch } from './entity-tags.ts'
import { parseHttpDate } from './http-date.ts'
import type { IfCondition, IfList } from './if-header.ts'

/**
 * Evaluates every condition of the request against what is there now, in the order of RFC 9110
 * §13.2.2, then `If` (RFC 4918 §10.4.3).
 *
 * @returns `not_modified` when a GET or HEAD needs no content.
 * @throws DavError 412
 */
export async function checkConditions(
  exchange: Exchange,
  entry: Entry | undefined,
): Promise<'proceed' | 'not_modified'> {
  const { headers, method } = exchange.req
  if (!isConditional(exchange)) return 'proceed'
  const isRead = method === 'GET' || method === 'HEAD'
  if (headers['if-match'] !== undefined) {
    if (!matches(headers['if-match'], entry, strongMatch)) throw preconditionFailed()
  } else if (entry && isModifiedSince(entry, headers['if-unmodified-since']) === true) {
    throw preconditionFailed()
  }
  let fresh = false
  if (headers['if-none-match'] !== undefined) {
    fresh = matches(headers['if-none-match'], entry, weakMatch)
    if (fresh && !isRead) throw preconditionFailed()
  } else if (isRead && entry) {
    fresh = isModifiedSince(entry, headers['if-modified-since']) === false
  }
  if (exchange.fields.ifLists) await checkIf(exchange, entry, exchange.fields.ifLists)
  return fresh ? 'not_modified' : 'proceed'
}

function isConditional({ req: { headers }, fields }: Exchange): boolean {
  return (
    fields.ifLists !== undefined ||
    headers['if-match'] !== undefined ||
    headers['if-none-match'] !== undefined ||
    headers['if-modified-since'] !== undefined ||
    headers['if-unmodified-since'] !== undefined
  )
}

/** What a conditional change has to find unchanged when it is carried out, minutes later perhaps. */
export function expectedState(exchange: Exchange, entry: Entry | undefined): Expected | undefined {
  if (!isConditional(exchange)) return undefined
  return entry ? { etag: entry.etag } : 'absent'
}

/** RFC 9110 §13.1.1, §13.1.2 */
function matches(
  field: string,
  entry: Entry | undefined,
  equal: (one: string, other: string) => boolean,
): boolean {
  const tags = parseEntityTags(field)
  if (!entry) return false
  return tags === '*' || tags.some((tag) => equal(tag, entry.etag))
}

/** RFC 9110 §13.1.3, §13.1.4: `undefined` when the field is absent or is not a date. */
function isModifiedSince(entry: Entry, field: string | undefined): boolean | undefined {
  const since = field === undefined ? undefined : parseHttpDate(field)
  if (since === undefined) return undefined
  return Math.floor(entry.modifiedAt / 1000) * 1000 > since
}

async function checkIf(
  exchange: Exchange,
  entry: Entry | undefined,
  lists: readonly IfList[],
): Promise<void> {
  const states = new Map<string | undefined, Entry | undefined>([[undefined, entry]])
  for (const { resource, conditions } of lists) {
    if (!states.has(resource)) states.set(resource, await findTagged(exchange, resource))
    const state = states.get(resource)
    if (conditions.every((condition) => holds(condition, state))) return
  }
  throw preconditionFailed()
}

/** No token is known yet, so none matches; RFC 4918 §10.4.8: that is true for `Not` as well. */
function holds({ not, etag }: IfCondition, entry: Entry | undefined): boolean {
  const match = etag !== undefined && entry !== undefined && strongMatch(etag, entry.etag)
  return match !== not
}

/** RFC 4918 §10.4.1: a tagged list is about another resource; of foreign ones we know nothing. */
async function findTagged(exchange: Exchange, tag = ''): Promise<Entry | undefined> {
  const { principal, settings, tree } = exchange
  try {
    const target = parseReference(tag, settings.publicUrl)
    if (!target) return undefined
    return await tree.stat(findPlace(target, principal, settings.isShareId).path)
  } catch {
    return undefined
  }
}
