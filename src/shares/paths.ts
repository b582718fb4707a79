import type { Database, Transaction } from '../db/index.ts'
import { isWithin } from '../files/index.ts'
import { selectLivePaths, updatePath } from './queries.ts'

/** How shares stay with what they share when its owner, or a guest, moves it. */
export const createSharePaths = (db: Database) => ({
  /** Whether anything at or below a path of the owner's is shared. */
  async concerns(ownerId: string, path: readonly string[]): Promise<boolean> {
    return (await selectLivePaths(db, ownerId)).some((share) => isWithin(share.path, path))
  },

  async moved(
    transaction: Transaction,
    ownerId: string,
    from: readonly string[],
    to: readonly string[],
  ): Promise<void> {
    for (const { id, path } of await selectLivePaths(transaction, ownerId)) {
      if (!isWithin(path, from)) continue
      await updatePath(transaction, id, [...to, ...path.slice(from.length)])
    }
  },
})
