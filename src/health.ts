import { statfs } from 'node:fs/promises'

/** What keeps a server from working, in the one word that strangers are told. */
export const troubles = ['draining', 'database', 'disk'] as const

export type Trouble = (typeof troubles)[number]

export interface HealthDeps {
  /** Fails where the database cannot be read and written. */
  touchDatabase(): Promise<unknown>
  /** Folders that need room. */
  readonly folders: readonly string[]
  /** Bytes; with less than this an upload or a commit may fail at any moment. */
  readonly diskFloor?: number
  /** How long a finding is good, in milliseconds: anybody may ask, and each look writes. */
  readonly keepMs?: number
  readonly now?: () => number
}

/** Whether this server can work. */
export interface Health {
  /** @returns undefined when nothing is wrong. */
  findTrouble(): Promise<Trouble | undefined>
  /** From now on it is stopping. */
  drain(): void
}

const mib = 1024 * 1024

/** Looks at most once a second, whoever asks; that it is draining is known at once. */
export function createHealth(deps: HealthDeps): Health {
  const { touchDatabase, folders, diskFloor = 16 * mib, keepMs = 1000 } = deps
  const now = deps.now ?? (() => performance.now())
  let draining = false
  let last: { readonly at: number; readonly trouble: Promise<Trouble | undefined> } | undefined

  async function look(): Promise<Trouble | undefined> {
    try {
      await touchDatabase()
    } catch {
      return 'database'
    }
    const free = await Promise.all(folders.map(freeBytes))
    return free.some((bytes) => bytes < diskFloor) ? 'disk' : undefined
  }

  return {
    findTrouble() {
      if (draining) return Promise.resolve('draining')
      if (last === undefined || now() - last.at >= keepMs) last = { at: now(), trouble: look() }
      return last.trouble
    },
    drain: () => void (draining = true),
  }
}

/** A folder that cannot be asked has no room; one that nobody has made yet needs none. */
async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? Infinity : 0
  }
}
