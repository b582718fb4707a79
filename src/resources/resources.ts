import type { Clock } from '../core/index.ts'
import { inTransaction, type Database } from '../db/index.ts'
import type { Look } from './changes/change.ts'
import { createChanges } from './changes/changes.ts'
import type { Follower } from './changes/settle.ts'
import { createInFlight } from './in-flight.ts'
import { createLocks, type LockLimits } from './locks/locks.ts'
import { deleteLock, selectAllLocks } from './locks/queries.ts'
import { fromText } from './path-text.ts'
import { createProperties, type PropertyLimits } from './properties/properties.ts'

export interface ResourcesDeps {
  readonly db: Database
  readonly clock: Clock
  /** Who else keeps paths that follow a moved resource. */
  readonly followers?: readonly Follower[]
  readonly limits?: Partial<LockLimits & PropertyLimits>
}

export type Resources = ReturnType<typeof createResources>

const defaults = {
  perHolder: 500,
  perTree: 2000,
  perResource: 100,
  bytesPerResource: 256 * 1024,
  locks: 100_000,
  propertiesPerTree: 50_000,
  propertyBytesPerTree: 64 * 1024 * 1024,
}

/** Locks and dead properties of every tree, and how they follow their resources. */
export function createResources({ db, clock, followers = [], limits }: ResourcesDeps) {
  const bounds = { ...defaults, ...limits }
  const inFlight = createInFlight()
  const locks = createLocks(db, clock, bounds)
  const properties = createProperties(db, bounds)
  const hasState = async (treeId: string): Promise<boolean> =>
    (await properties.hasProperties(treeId)) || (await locks.hasLocks(treeId))
  const changes = createChanges({ db, clock, followers, hasState })

  /** Locks that expired, and locks of what is gone. */
  async function dropDeadLocks(lookIn: (treeId: string) => Promise<Look | undefined>) {
    const now = clock.now()
    for (const { token, treeId, path, expiresAt } of await selectAllLocks(db)) {
      const look = await lookIn(treeId)
      const isGone = look && (await look([])) && !(await look(fromText(path)))
      const isDead = expiresAt <= now || isGone
      if (isDead) await inTransaction(db, (tx) => deleteLock(tx, token))
    }
  }

  return {
    ...locks,
    ...properties,
    carryOut: changes.carryOut,
    enter: inFlight.enter,
    settled: inFlight.settled,

    /**
     * At start-up, before anybody is served: finishes interrupted changes, and drops the locks of
     * what is not there.
     *
     * @returns how many changes had been interrupted.
     */
    async recover(lookIn: (treeId: string) => Promise<Look | undefined>): Promise<number> {
      const interrupted = await changes.recover(lookIn)
      await dropDeadLocks(lookIn)
      return interrupted
    },
  }
}
