import type { Principal } from '../../auth/index.ts'
import { isWithin, samePath, type TreePath } from '../../files/index.ts'
import { notFound } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { encodePath } from '../gate/target.ts'
import type { Lock, LockHolder, ResourcePlace } from '../resources.ts'
import { escapeXml } from '../../xml/index.ts'

/** Where the tree that a principal sees begins in the tree of its owner. */
function rootOf(principal: Principal): ResourcePlace {
  switch (principal.kind) {
    case 'user':
      return { treeId: principal.userId, path: [] }
    case 'share':
      return { treeId: principal.root.ownerId, path: principal.root.path }
    case 'token':
      throw notFound()
  }
}

/** One and the same for all who reach a resource, through a home or through a share. */
export function placeOf({ principal }: Exchange, path: TreePath): ResourcePlace {
  const root = rootOf(principal)
  return { treeId: root.treeId, path: [...root.path, ...path] }
}

/** RFC 4918 §6.4: a lock is its creator's; for a share that is the share and the peer it is for. */
export function holderOf(principal: Principal): LockHolder {
  switch (principal.kind) {
    case 'user':
      return { key: `user:${principal.userId}` }
    case 'share': {
      const { shareId, peer } = principal
      return { key: `share:${shareId}@${peer}`, shareId }
    }
    case 'token':
      throw notFound()
  }
}

/** RFC 4918 §7: whether a lock protects what is at a path of the owner's tree. */
export const covers = (lock: Lock, path: TreePath): boolean =>
  lock.depth === 'infinity' ? isWithin(path, lock.path) : samePath(path, lock.path)

/** The back way, for looking at files: a path of the owner's tree as one of ours. */
export const insideOf = ({ principal }: Exchange, path: TreePath): TreePath =>
  path.slice(rootOf(principal).path.length)

/** The root of a lock as a URL; one above a share is shown as the root of the share. */
export function hrefOfLock(exchange: Exchange, lock: Lock): string {
  const { base, path } = exchange.place
  const inner = insideOf(exchange, lock.path)
  if (inner.length === 0) return escapeXml(`${base}/`)
  const href = `${base}/${encodePath(inner)}`
  // What holds something else is a collection.
  const slash = path.length > inner.length && isWithin(path, inner)
  return escapeXml(slash ? `${href}/` : href)
}
