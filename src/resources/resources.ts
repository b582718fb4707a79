import type { Clock } from '../core/index.ts'
import { inTransaction, type Database } from '../db/index.ts'
import type { Look } from './changes/change.ts'
import type { TreePath } from '../files/index.ts'
import { createChanges } from './changes/changes.ts'
import type { Follower } from './changes/settle.ts'
import { createInFlight } from './in-flight.ts'
import { createLocks, type LockLimits } from './locks/locks.ts'
import {
  deleteExpiredAnywhere,
  deleteLock,
  selectAllLocks,
  selectLockedPaths,
} from './locks/queries.ts'
import { fromText } from './path-text.ts'
import type { ResourcePlace } from './place.ts'
import { createProperties, type PropertyLimits } from './properties/properties.ts'
import { selectPropertyPaths } from './properties/queries.ts'

export interface ResourcesDeps {
  readonly db: Database
  readonly clock: Clock
  /** Names this process, so that what it leaves behind can be told from what others are at. */
  readonly runId?: string
  /** Waits for the changes that other processes are at; absent where there are none. */
  readonly settledElsewhere?: ((place: ResourcePlace) => Promise<void>) | undefined
  /** Who else keeps paths that follow a moved resource. */
  readonly followers?: readonly Follower[]
  readonly limits?: Partial<LockLimits & PropertyLimits>
}

type LookIn = (treeId: string) => Promise<Look | undefined>

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
export function createResources(deps: ResourcesDeps) {
  const { db, clock, runId = null, settledElsewhere, followers = [], limits } = deps
  const bounds = { ...defaults, ...limits }
  const inFlight = createInFlight()
  const locks = createLocks(db, clock, bounds)
  const properties = createProperties(db, bounds)
  const hasState = async (treeId: string): Promise<boolean> =>
    (await properties.hasProperties(treeId)) || (await locks.hasLocks(treeId))
  const changes = createChanges({ db, clock, runId, followers, hasState })

  /** Locks that expired, and locks of what is gone. */
  async function dropDeadLocks(lookIn: LookIn) {
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
    /** Waits for the changes around a place that have entered by now, wherever. */
    async settled(place: ResourcePlace): Promise<void> {
      await Promise.all([inFlight.settled(place), settledElsewhere?.(place)])
    },
    /** The same for what this process is at. */
    settledHere: inFlight.settled,
    /** Finishes what a dead process was at; nobody else may have the turn of its places. */
    settleRun: (lookIn: LookIn, deadRun: string): Promise<number> =>
      changes.recover(lookIn, deadRun),

    /** Where locks and properties are in a tree, to be compared with its files. */
    async knownPaths(treeId: string): Promise<{ locked: TreePath[]; described: TreePath[] }> {
      const locked = await selectLockedPaths(db, treeId, clock.now())
      const described = await selectPropertyPaths(db, treeId)
      const paths = (rows: { path: string }[]) => rows.map(({ path }) => fromText(path))
      return { locked: paths(locked), described: paths(described) }
    },

    /** Drops locks that have expired, at most `limit`. Returns how many. */
    removeExpiredLocks: (limit: number): Promise<number> =>
      inTransaction(db, (tx) => deleteExpiredAnywhere(tx, clock.now(), limit)),

    /**
     * At start-up, before anybody is served: finishes interrupted changes, and drops the locks of
     * what is not there.
     *
     * @returns how many changes had been interrupted.
     */
    async recover(lookIn: LookIn): Promise<number> {
      const interrupted = await changes.recover(lookIn)
      await dropDeadLocks(lookIn)
      return interrupted
    },
  }
}
