import { newId, reach, type Clock } from '../../core/index.ts'
import { inTransaction, type Database } from '../../db/index.ts'
import { sourceOf, targetOf, toRow, type Change, type Look } from './change.ts'
import { insertChange, selectChanges, type ChangeRow } from './queries.ts'
import { findAbroad, judge, settle, type Abroad, type Follower, type Outcome } from './settle.ts'

export interface ChangesDeps {
  readonly db: Database
  readonly clock: Clock
  /** Names this process in what it notes. */
  readonly runId: string | null
  readonly followers: readonly Follower[]
  /** Whether a tree has any property or lock. */
  readonly hasState: (treeId: string) => Promise<boolean>
}

/** Ties the change of files to the change of what the database knows of them. */
export function createChanges({ db, clock, runId, followers, hasState }: ChangesDeps) {
  async function isConcerned(change: Change): Promise<boolean> {
    if (await hasState(change.treeId)) return true
    for (const follower of followers) {
      if (await follower.concerns(change.treeId, sourceOf(change))) return true
    }
    return false
  }

  const finish = (row: ChangeRow, outcome: Outcome, abroad: Abroad): Promise<void> =>
    inTransaction(db, (tx) => settle(tx, row, outcome, abroad, followers))

  return {
    /**
     * Writes down what is about to happen, lets `work` do it to the files, then settles the rest in
     * one transaction. Whatever interrupts this, `recover` reads from the files how far it got.
     * Where nothing is known of the tree, nothing is written.
     */
    async carryOut<Result>(
      change: Change,
      look: Look,
      work: () => Promise<Result>,
    ): Promise<Result> {
      const written = await isConcerned(change)
      const before = written ? await look(targetOf(change)) : undefined
      const etag = before === 'elsewhere' ? undefined : before?.etag
      const row = toRow(change, newId(), etag ?? null, clock.now(), runId)
      const abroad = written ? await findAbroad(row, look) : undefined
      if (written) await inTransaction(db, (tx) => insertChange(tx, row))
      await reach('change.noted')
      let result: Result
      try {
        result = await work()
      } catch (error) {
        if (abroad) await finish(row, await judge(row, look), abroad)
        throw error
      }
      await reach('change.done')
      // Somebody may have set the first property while the files were changed.
      if (abroad) await finish(row, 'done', abroad)
      else if (await isConcerned(change)) await finish(row, 'done', await findAbroad(row, look))
      await reach('change.settled')
      return result
    },

    /**
     * Finishes what a crash interrupted; only while nothing else changes these places.
     *
     * @param deadRun whose changes; absent where nobody else runs, for all.
     * @returns how many changes had been interrupted.
     */
    async recover(
      lookIn: (treeId: string) => Promise<Look | undefined>,
      deadRun?: string,
    ): Promise<number> {
      const rows = await selectChanges(db, deadRun)
      for (const row of rows) {
        const look = await lookIn(row.treeId)
        // A home that is not mounted tells nothing.
        if (look && (await look([]))) {
          await finish(row, await judge(row, look), await findAbroad(row, look))
        }
      }
      return rows.length
    },
  }
}
