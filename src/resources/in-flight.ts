import { isWithin, type TreePath } from '../files/index.ts'
import type { ResourcePlace } from './place.ts'

/** Changes that are past their look at the locks and not yet done. */
export interface InFlight {
  /** Called before that look; what it returns, when the change is done. */
  enter(treeId: string, paths: readonly TreePath[]): () => void
  /** Waits for the changes at, above and below a place that have entered by now. */
  settled(place: ResourcePlace): Promise<void>
}

/**
 * Closes the gap between looking and changing: whoever locks waits for the changes that had not
 * seen the lock, so that with the lock in hand nobody else's write is still to come.
 */
export function createInFlight(): InFlight {
  interface Running {
    readonly treeId: string
    readonly paths: readonly TreePath[]
    readonly done: Promise<void>
  }
  const running = new Set<Running>()
  return {
    enter(treeId, paths) {
      let finish = (): void => undefined
      const done = new Promise<void>((resolve) => (finish = resolve))
      const own = { treeId, paths, done }
      running.add(own)
      return () => {
        running.delete(own)
        finish()
      }
    },
    async settled({ treeId, path }) {
      const meets = (other: TreePath): boolean => isWithin(other, path) || isWithin(path, other)
      const earlier = [...running].filter((one) => one.treeId === treeId && one.paths.some(meets))
      await Promise.all(earlier.map(({ done }) => done))
    },
  }
}
