import { isWithin, type TreePath } from '../../files/index.ts'
import { DavError, forbidden } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import type { Lock } from '../resources.ts'
import { covers, holderOf, hrefOfLock, placeOf } from './place.ts'

/** A resource that a request is about to change. */
export interface Affected {
  readonly path: TreePath
  /** Everything below it changes as well. */
  readonly tree?: boolean
  /** It comes or goes, which changes the collection it is in. */
  readonly membership?: boolean
}

/** RFC 4918 §10.4.1: every token that the request claims to know; a denied one is not claimed. */
export const submittedTokens = ({ fields }: Exchange): ReadonlySet<string> =>
  new Set(
    (fields.ifLists ?? [])
      .flatMap(({ conditions }) => conditions)
      .flatMap(({ not, token }) => (token === undefined || not ? [] : [token])),
  )

/**
 * RFC 4918 §7: whoever changes what is locked presents a token of the lock, and has to be its
 * holder.
 *
 * @throws DavError 423, or 403 for the token of somebody else's lock.
 */
export async function requireTokens(
  exchange: Exchange,
  affected: readonly Affected[],
): Promise<void> {
  const { resources } = exchange.settings
  const { treeId } = placeOf(exchange, [])
  if (!(await resources.hasLocks(treeId))) return
  for (const { path, tree = false, membership = false } of affected) {
    const place = placeOf(exchange, path)
    const locks = await resources.findLocks(place, tree ? 'around' : 'above')
    requireFor(exchange, locks, place.path)
    // RFC 4918 §7.4: a locked collection keeps its members' names, whatever the depth.
    if (membership && path.length > 0) requireFor(exchange, locks, place.path.slice(0, -1))
    const below = tree ? locks.filter((lock) => isWithin(lock.path, place.path)) : []
    for (const lock of below) requireFor(exchange, locks, lock.path)
  }
}

/** One token is enough for a resource with several (then shared) locks: RFC 4918 §6.2. */
function requireFor(exchange: Exchange, locks: readonly Lock[], path: TreePath): void {
  const held = locks.filter((lock) => covers(lock, path))
  if (held.length === 0) return
  const tokens = submittedTokens(exchange)
  const { key } = holderOf(exchange.principal)
  const presented = held.filter(({ token }) => tokens.has(token))
  if (presented.some(({ holder }) => holder === key)) return
  // RFC 4918 §6.4
  if (presented.length > 0) throw forbidden('The lock is not yours.')
  throw locked(exchange, held)
}

/** RFC 4918 §16 */
export const locked = (exchange: Exchange, locks: readonly Lock[]): DavError =>
  new DavError(423, 'The resource is locked.', {
    element: 'D:lock-token-submitted',
    hrefs: hrefsOf(exchange, locks),
  })

export const hrefsOf = (exchange: Exchange, locks: readonly Lock[]): string[] => [
  ...new Set(locks.map((lock) => hrefOfLock(exchange, lock))),
]

const enter = (exchange: Exchange, affected: readonly Affected[]): (() => void) => {
  const places = affected.map(({ path }) => placeOf(exchange, path))
  const { treeId } = placeOf(exchange, [])
  return exchange.settings.resources.enter(
    treeId,
    places.map(({ path }) => path),
  )
}

/** Makes a change that locks permit; whoever locks meanwhile gets the lock when it is done. */
export async function changing<Result>(
  exchange: Exchange,
  affected: readonly Affected[],
  work: () => Promise<Result>,
): Promise<Result> {
  const leave = enter(exchange, affected)
  try {
    await requireTokens(exchange, affected)
    return await work()
  } finally {
    leave()
  }
}

/** The same for a body that may take hours to come: locks are looked at before and after it. */
export async function receiving<Result>(
  exchange: Exchange,
  affected: readonly Affected[],
  body: AsyncIterable<Uint8Array>,
  work: (body: AsyncIterable<Uint8Array>) => Promise<Result>,
): Promise<Result> {
  let leave: (() => void) | undefined
  let isOver = false
  const checked = withEnd(body, async () => {
    // Who has given up may still be owed the rest of the body.
    if (isOver || leave) return
    leave = enter(exchange, affected)
    await requireTokens(exchange, affected)
  })
  try {
    return await work(checked)
  } finally {
    isOver = true
    leave?.()
  }
}

/** The same parts; nobody learns that they were all before `atEnd`. As a generator it was a twentieth of a small PUT. */
function withEnd(
  body: AsyncIterable<Uint8Array>,
  atEnd: () => Promise<void>,
): AsyncIterable<Uint8Array> {
  const parts = body[Symbol.asyncIterator]()
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        const result = await parts.next()
        if (result.done === true) await atEnd()
        return result
      },
      async return() {
        await parts.return?.()
        return { done: true, value: undefined }
      },
    }),
  }
}
