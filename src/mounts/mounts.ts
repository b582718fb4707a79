import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Clock, Logger } from '../core/index.ts'
import type { Database, SeenRoot } from '../db/index.ts'
import type { FileTree } from '../files/index.ts'
import type { Pace } from '../http/index.ts'
import type { Peers } from '../peers/index.ts'
import type { IncomingShare, IncomingShares, Mount } from '../shares/index.ts'
import { createMountsOfUsers } from './mounts-of-user.ts'
import { createSightings } from './sightings.ts'
import { findTroubles, type Trouble } from './troubles-of.ts'
import { createUserTree } from './user-tree.ts'

export interface MountsDeps {
  readonly db: Database
  readonly clock: Clock
  readonly log: Logger
  readonly incoming: Pick<
    IncomingShares,
    'get' | 'listMounts' | 'renameMount' | 'noteSeen' | 'decline'
  >
  readonly peers: Pick<Peers, 'list'>
  /** The name of the folder that holds what a user received. */
  readonly sharedFolder: string
  /** What one file may have. */
  readonly maxUploadBytes: number
  /** How slowly a sender may give a file that is copied. */
  readonly pace: Pace
  /**
   * What stands at the sender, as a tree.
   *
   * @param onSeen told what stands at its root whenever that was seen.
   */
  openRemote(mount: Mount, onSeen: (root: SeenRoot) => void): FileTree
}

export type Mounts = ReturnType<typeof createMounts>

const maxTrees = 1000

/** More files and directories than this are no copy but an attack, or take several. */
const maxEntries = 1_000_000

/** A command, and a server that stops, do not wait longer for a sender. */
const patienceMs = 3000

/** What others share with our users, in the users' own trees. */
export function createMounts(deps: MountsDeps) {
  const { incoming, sharedFolder, log } = deps
  const mountsOf = createMountsOfUsers(deps.db, deps.clock, incoming.listMounts)
  const trees = new LRUCache<string, FileTree>({ max: maxTrees })
  const underWay = new Set<Promise<void>>()
  let version = 0

  /** Nobody waits for it, but the end does. */
  function inBackground(what: string, id: string, work: () => Promise<unknown>): void {
    const running = work()
      .then(
        () => undefined,
        (err: unknown) => log.debug({ err, incomingId: id }, what),
      )
      .finally(() => underWay.delete(running))
    underWay.add(running)
  }

  const noteSighting = createSightings(deps.clock, (mount, seen) =>
    inBackground('a mount was seen and not noted', mount.id, () => incoming.noteSeen(mount, seen)),
  )

  /** One tree for all who use a mount, so that they share what it knows. */
  function openMount(mount: Mount): FileTree {
    const key = `${mount.id}/${mount.mountName}`
    const known = trees.get(key)
    if (known) return known
    const tree = deps.openRemote(mount, (seen) => noteSighting(mount, seen))
    trees.set(key, tree)
    return tree
  }

  /** Looks at the root of a mount. */
  async function visit(id: string): Promise<void> {
    const { userId } = await incoming.get(id)
    const mount = (await mountsOf(userId)).list.find((one) => one.id === id)
    if (mount) await openMount(mount).stat([])
  }

  return {
    /** A user's home with the shares in it. */
    treeFor: (userId: string, home: FileTree): FileTree =>
      createUserTree({
        home,
        sharedFolder,
        limits: { maxBytes: deps.maxUploadBytes, maxEntries, pace: deps.pace },
        mounts: () => mountsOf(userId),
        onLeft: (name, err) =>
          log.warn({ err, userId, name }, 'a copy left something behind in a mount'),
        openMount,
        rename: (mount, name) => incoming.renameMount(mount, name),
        // A sender that is away hears of it later.
        async decline({ id }) {
          await incoming.decline(id, { waits: false })
        },
        // Homes count upwards.
        nextVersion: () => (version -= 1),
      }),

    /** What keeps users from these shares, in words for them. */
    findTroubles: (shares: readonly IncomingShare[]): Promise<(Trouble | undefined)[]> =>
      findTroubles(deps, shares),

    /** First contact with a new mount, so that its kind and size are known before anybody looks. */
    visitSoon: (id: string): void => inBackground('a mount was not seen', id, () => visit(id)),

    /** Waits for what is done in the background, though not for long. */
    async stop(): Promise<void> {
      const patience = sleep(patienceMs, undefined, { ref: false })
      await Promise.race([Promise.all(underWay), patience])
    },
  }
}
