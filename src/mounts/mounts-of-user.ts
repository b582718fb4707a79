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
}

/** Of how many users it is remembered. */
const maxUsers = 10_000

const nothing: MountsOfUser = { list: [], signature: '', find: () => undefined }

function describe(list: readonly Mount[]): MountsOfUser {
  if (list.length === 0) return nothing
  const byName = new Map(list.map((mount) => [mount.mountName, mount]))
  return { list, signature: JSON.stringify(list), find: (name) => byName.get(name) }
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
  async function read(userId: string): Promise<Read> {
    const now = clock.now()
    const all = await listMounts(userId)
    const living = all.filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
    const until = Math.min(...living.map(({ expiresAt }) => expiresAt ?? Infinity))
    return { mounts: describe(living), until }
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
