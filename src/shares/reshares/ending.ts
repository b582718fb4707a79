import type { Transaction } from '../../db/index.ts'
import type { Outbox } from '../../outbox/index.ts'
import { endLiveReshares, selectReshareIds } from './queries.ts'

/**
 * What was passed on ends with the share itself. Its owner ends it as well, so nothing is said of it
 * and nobody is asked any more; `silent` takes back what was still to be said.
 */
export async function endReshares(
  tx: Transaction,
  outbox: Pick<Outbox, 'cancel'>,
  incomingIds: readonly string[],
  now: number,
  { silent = false } = {},
): Promise<void> {
  for (const id of await selectReshareIds(tx, incomingIds)) {
    await outbox.cancel(tx, id, silent ? undefined : ['reshare'])
  }
  await endLiveReshares(tx, incomingIds, now)
}
