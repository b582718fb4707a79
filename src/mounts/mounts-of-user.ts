import { LRUCache } from 'lru-cache'
import type { Clock } from '../core/index.ts'
import { remember, type Database } from '../db/index.ts'
import type { Mount } from '../shares/index.ts'

/** What stands in a user's folder of shares just now. */
export interface MountsOfUser {
  /** By name. */
  readonly list: readonly Mount[]
  /** The same as long as nothing that is to be seen of them changes. */
  readonly signature: string
  find(name: string): Mount | undefined
  /** When a name that lately was a mount's was found to be one no more; epoch milliseconds. */
  leftAt(name: string): number | undefined
}

/** Of how many users it is remembered. */
const maxUsers = 10_000

/** How long clients may go on with a request that was meant for a mount. */
const lateMs = 10 * 60_000

function describe(list: readonly Mount[], leftAt: MountsOfUser['leftAt']): MountsOfUser {
  if (list.length === 0) return { list, signature: '', find: () => undefined, leftAt }
  const byName = new Map(list.map((mount) => [mount.mountName, mount]))
  return { list, signature: JSON.stringify(list), find: (name) => byName.get(name), leftAt }
}

interface Read {
  readonly mounts: MountsOfUser
  /** When the first of them ends. */
  readonly until: number
}

/**
 * Finds the mounts of users: in the database after somebody's commit, else in memory. A share whose
 * time is over is among them no more, like anything that is not there.
 */
export function createMountsOfUsers(
  db: Database,
  clock: Clock,
  listMounts: (userId: string) => Promise<readonly Mount[]>,
): (userId: string) => MountsOfUser | Promise<MountsOfUser> {
  /** By user: the names that led to mounts lately, and since when they do no more. */
  const names = new LRUCache<string, ReadonlyMap<string, number>>({ max: maxUsers })

  /** Compares with the last look; what this process has not seen, it does not miss. */
  function noteNames(userId: string, living: readonly Mount[], now: number) {
    const left = [...(names.get(userId) ?? [])]
      .map(([name, at]) => [name, Math.min(at, now)] as const)
      .filter(([, at]) => now - at < lateMs)
    const mounted = living.map(({ mountName }) => [mountName, Infinity] as const)
    const noted = new Map([...left, ...mounted])
    if (noted.size > 0) names.set(userId, noted)
    return (name: string): number | undefined => {
      const at = noted.get(name)
      return at !== undefined && clock.now() - at < lateMs ? at : undefined
    }
  }

  async function read(userId: string): Promise<Read> {
    const now = clock.now()
    const all = await listMounts(userId)
    const living = all.filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
    const until = Math.min(...living.map(({ expiresAt }) => expiresAt ?? Infinity))
    return { mounts: describe(living, noteNames(userId, living, now)), until }
  }
  const find = remember(db, maxUsers, read)

  async function wait(userId: string, reading: Read | Promise<Read>): Promise<MountsOfUser> {
    const { mounts, until } = await reading
    return until > clock.now() ? mounts : (await read(userId)).mounts
  }

  return (userId) => {
    const found = find(userId)
    if (found instanceof Promise || found.until <= clock.now()) return wait(userId, found)
    return found.mounts
  }
}
