import type { Awaitable } from '../core/index.ts'
import type { DeadProperty, PlacedProperty, PropertyStep, TreePath } from '../files/index.ts'

/** A resource, whoever asks for it: a path in the tree of the user who owns it. */
export interface ResourcePlace {
  readonly treeId: string
  readonly path: TreePath
}

/** Whose a lock is. */
export interface LockHolder {
  readonly key: string
  /** The share that the holder acts through; the lock ends with it. */
  readonly shareId?: string
}

export interface Lock extends ResourcePlace {
  readonly token: string
  readonly scope: 'exclusive' | 'shared'
  readonly depth: '0' | 'infinity'
  /** The key of its holder. */
  readonly holder: string
  /** A `DAV:owner` element, or ''. */
  readonly owner: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export interface LockRequest extends Pick<Lock, 'treeId' | 'path' | 'scope' | 'depth' | 'owner'> {
  readonly holder: LockHolder
  readonly seconds: number
}

export type LockOutcome =
  | { readonly status: 'granted'; readonly lock: Lock }
  | { readonly status: 'conflict'; readonly locks: readonly Lock[] }
  | { readonly status: 'too_many' }

export type { DeadProperty, PlacedProperty, PropertyStep }

export type Change =
  | { readonly kind: 'remove'; readonly treeId: string; readonly path: TreePath }
  | {
      readonly kind: 'move' | 'copy'
      readonly treeId: string
      readonly from: TreePath
      readonly to: TreePath
      readonly shallow?: boolean
    }

/** What WebDAV asks of whoever keeps locks and dead properties. */
export interface ResourceVerbs {
  /** Cheap: most trees have none, and nothing else is asked of them. */
  hasLocks(treeId: string): Awaitable<boolean>
  /** Live locks of a resource and of what is above it; `around`: of what is below as well. */
  findLocks(at: ResourcePlace, reach: 'above' | 'around'): Promise<readonly Lock[]>
  /** Of many that want the same at once, one gets it. */
  addLock(wanted: LockRequest): Promise<LockOutcome>
  refreshLock(lock: Lock, seconds: number): Promise<void>
  removeLock(lock: Lock): Promise<void>
  /** Cheap, as above. */
  hasProperties(treeId: string): Awaitable<boolean>
  /** Of a resource, or of its members as well; with `names`, at least those so named. */
  findProperties(
    at: ResourcePlace,
    reach: 'self' | 'members',
    names?: readonly string[],
  ): Promise<readonly PlacedProperty[]>
  /** Every step or none; `too_much` when it would not fit. */
  patchProperties(at: ResourcePlace, steps: readonly PropertyStep[]): Promise<'done' | 'too_much'>
  /** Before something new gets a name that something else may have had. */
  forgetProperties(at: ResourcePlace): Promise<void>
  /** Lets `work` change files, and everything kept here follow; `look` says what is where. */
  carryOut<Result>(
    change: Change,
    look: (path: TreePath) => Promise<{ readonly etag: string } | 'elsewhere' | undefined>,
    work: () => Promise<Result>,
  ): Promise<Result>
  /** Called before locks are looked at for a change; what it returns, when the change is done. */
  enter(treeId: string, paths: readonly TreePath[]): () => void
  /** Waits for the changes around a place that have entered by now. */
  settled(place: ResourcePlace): Promise<void>
}
