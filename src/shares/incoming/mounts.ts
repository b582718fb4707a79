import { inTransaction, type SeenRoot } from '../../db/index.ts'
import type { IncomingSharesDeps } from './deps.ts'
import { IncomingError } from './errors.ts'
import { isSameMountName } from './mount-name.ts'
import {
  findIncoming,
  prepareSelectMounts,
  selectMountNames,
  updateIncoming,
  type MountRow,
} from './queries.ts'

/** A received share as its user finds it in the folder of shares. */
export interface Mount extends Omit<MountRow, 'mountName'> {
  readonly mountName: string
}

/** The shares that stand in a user's folder of shares. */
export function createMountRows({ db }: Pick<IncomingSharesDeps, 'db'>) {
  const select = prepareSelectMounts(db)

  return {
    /** By name. */
    async listMounts(userId: string): Promise<Mount[]> {
      const rows = await select.execute({ userId })
      return rows.flatMap((row) =>
        row.mountName === null ? [] : { ...row, mountName: row.mountName },
      )
    },

    /**
     * @returns false when another one has this name, or one that some clients cannot tell from it.
     * @throws IncomingError `received_not_found` when it has just ended or got another name.
     */
    renameMount: ({ id, userId, mountName }: Mount, name: string): Promise<boolean> =>
      inTransaction(db, async (tx) => {
        const current = (await findIncoming(tx, id))?.row.mountName
        if (current !== mountName) {
          throw new IncomingError('received_not_found', 'This share is not there any more.')
        }
        const taken = await selectMountNames(tx, userId)
        const others = taken.filter((one) => one !== mountName)
        if (others.some((other) => isSameMountName(other, name))) return false
        await updateIncoming(tx, [id], { mountName: name })
        return true
      }),

    /** Keeps what stood at its root when that was last seen. */
    noteSeen: ({ id }: Pick<Mount, 'id'>, seen: SeenRoot): Promise<void> =>
      inTransaction(db, async (tx) => {
        const isThere = (await findIncoming(tx, id))?.row.mountName != null
        if (isThere) await updateIncoming(tx, [id], { seen })
      }),
  }
}
