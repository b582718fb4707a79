import type { Awaitable } from '../../core/index.ts'
import type { Entry, Expected, TreePath } from '../../files/index.ts'
import { preconditionFailed } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { findPlace } from '../gate/place.ts'
import { parseReference } from '../gate/uri.ts'
import { covers, placeOf } from '../locks/place.ts'
import { parseEntityTags, strongMatch, weakMatch } from './entity-tags.ts'
import { parseHttpDate } from './http-date.ts'
import type { IfCondition, IfList } from './if-header.ts'

type Outcome = 'proceed' | 'not_modified'

/**
 * Evaluates every condition of the request against what is there now, in the order of RFC 9110
 * §13.2.2, then `If` (RFC 4918 §10.4.3).
 *
 * @returns `not_modified` when a GET or HEAD needs no content.
 * @throws DavError 412
 */
export const checkConditions = (
  exchange: Exchange,
  entry: Entry | undefined,
): Awaitable<Outcome> => (isConditional(exchange) ? evaluate(exchange, entry) : 'proceed')

async function evaluate(exchange: Exchange, entry: Entry | undefined): Promise<Outcome> {
  const { headers, method } = exchange.req
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

/** Whether `checkConditions` has anything to check. */
export function isConditional({ req: { headers }, fields }: Exchange): boolean {
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
  if (!dependsOnVersion(exchange)) return undefined
  return entry ? { etag: entry.etag } : 'absent'
}

/** Tokens alone say nothing of the version that they are to be used on. */
function dependsOnVersion(exchange: Exchange): boolean {
  const { ifLists } = exchange.fields
  if (!ifLists) return isConditional(exchange)
  const rest = { ...exchange, fields: { ...exchange.fields, ifLists: undefined } }
  const isAboutVersion = ifLists.some(({ conditions }) => conditions.some(({ etag }) => etag))
  return isAboutVersion || isConditional(rest)
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

/** What `If` compares with: a version, and the tokens of the locks that protect it. */
interface State {
  readonly entry: Entry | undefined
  readonly tokens: readonly string[]
}

const unknown: State = { entry: undefined, tokens: [] }

/** RFC 4918 §10.4.3: one list that holds is enough. */
async function checkIf(
  exchange: Exchange,
  entry: Entry | undefined,
  lists: readonly IfList[],
): Promise<void> {
  const own = { entry, tokens: await findTokens(exchange, exchange.place.path) }
  const states = new Map<string | undefined, State>([[undefined, own]])
  for (const { resource, conditions } of lists) {
    const state = states.get(resource) ?? (await findTagged(exchange, resource))
    states.set(resource, state)
    if (conditions.every((condition) => holds(condition, state))) return
  }
  throw preconditionFailed()
}

/** RFC 4918 §10.4.4, §10.4.8: no lock has the token DAV:no-lock, so it never matches. */
function holds({ not, etag, token }: IfCondition, { entry, tokens }: State): boolean {
  const match =
    token === undefined
      ? etag !== undefined && entry !== undefined && strongMatch(etag, entry.etag)
      : tokens.includes(token)
  return match !== not
}

/** RFC 4918 §10.4.1: a tagged list is about another resource; of foreign ones we know nothing. */
async function findTagged(exchange: Exchange, tag = ''): Promise<State> {
  const { principal, settings, tree } = exchange
  let path: TreePath
  try {
    const target = parseReference(tag, settings.publicUrl)
    if (!target) return unknown
    path = findPlace(target, principal, settings.isShareId).path
  } catch {
    return unknown
  }
  return { entry: await tree.stat(path), tokens: await findTokens(exchange, path) }
}

async function findTokens(exchange: Exchange, path: TreePath): Promise<string[]> {
  const { resources } = exchange.settings
  const place = placeOf(exchange, path)
  if (!(await resources.hasLocks(place.treeId))) return []
  const locks = await resources.findLocks(place, 'above')
  return locks.filter((lock) => covers(lock, place.path)).map(({ token }) => token)
}
