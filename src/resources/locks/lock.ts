import { isWithin, type TreePath } from '../../files/index.ts'
import type { ResourcePlace } from '../place.ts'

/** Whose a lock is: the principal, and the share it acts through. */
export interface LockHolder {
  readonly key: string
  readonly shareId?: string
}

/** What a client asks to lock. */
export interface LockRequest extends ResourcePlace {
  readonly scope: 'exclusive' | 'shared'
  readonly depth: '0' | 'infinity'
  readonly holder: LockHolder
  /** A `DAV:owner` element, or ''. */
  readonly owner: string
  readonly seconds: number
}

/** However long a client asks for. */
export const longestLockMs = 24 * 60 * 60_000

/** A write lock, its root in the tree, and when it ends (epoch milliseconds). */
export interface Lock extends ResourcePlace {
  readonly token: string
  readonly scope: 'exclusive' | 'shared'
  readonly depth: '0' | 'infinity'
  /** The key of its holder. */
  readonly holder: string
  readonly owner: string
  readonly expiresAt: number
}

/** RFC 4918 §7: whether a lock protects what is at a path. */
export const covers = (lock: Pick<Lock, 'path' | 'depth'>, path: TreePath): boolean =>
  isWithin(path, lock.path) && (lock.depth === 'infinity' || path.length === lock.path.length)

/** RFC 4918 §6.2: shared locks agree with each other and with nothing else. */
export const conflicts = (lock: Lock, wanted: LockRequest): boolean =>
  (lock.scope === 'exclusive' || wanted.scope === 'exclusive') &&
  (covers(lock, wanted.path) || covers(wanted, lock.path))
