import type { Transaction } from '../../db/index.ts'
import type { TreePath } from '../../files/index.ts'
import { deleteLocksWithin } from '../locks/queries.ts'
import { fromText } from '../path-text.ts'
import { copyProperties, deletePropertiesWithin, moveProperties } from '../properties/queries.ts'
import type { Look } from './change.ts'
import { deleteChange, type ChangeRow } from './queries.ts'

/** Whoever else keeps paths of a tree. */
export interface Follower {
  /** Whether it has any at or below a path. */
  concerns(treeId: string, path: TreePath): Promise<boolean>
  /** Lets them follow what was moved, in the same transaction. */
  moved(transaction: Transaction, treeId: string, from: TreePath, to: TreePath): Promise<void>
}

/** What became of the files of a change: `replaced` if a target is new and a source still there. */
export type Outcome = 'done' | 'replaced' | 'nothing'

/**
 * Reads from the files themselves how far a change got. Where these cannot be seen it counts as not
 * done: a lock too many ends by itself, one too few lets somebody overwrite.
 */
export async function judge(row: ChangeRow, look: Look): Promise<Outcome> {
  const source = await look(fromText(row.source))
  if (row.kind === 'remove') return source ? 'nothing' : 'done'
  const target = await look(fromText(row.target))
  if (row.kind === 'move' && !source) return target ? 'done' : 'nothing'
  if (target === 'elsewhere' || (target?.etag ?? null) === row.targetEtag) return 'nothing'
  return row.kind === 'copy' ? 'done' : 'replaced'
}

/**
 * Lets properties and locks do what their resources did.
 *
 * RFC 4918 §7.7: a lock never travels, and a lock of the very target stays, because the client that
 * replaces what is there presented it; the locks of what the target held end with that.
 */
export async function settle(
  tx: Transaction,
  row: ChangeRow,
  outcome: Outcome,
  followers: readonly Follower[],
): Promise<void> {
  const { id, kind, treeId, source, target, shallow } = row
  await deleteChange(tx, id)
  if (outcome === 'nothing') return
  await deletePropertiesWithin(tx, treeId, target)
  await deleteLocksWithin(tx, treeId, target, kind !== 'remove')
  if (outcome === 'replaced' || kind === 'remove') return
  if (kind === 'copy') {
    await copyProperties(tx, treeId, source, target, shallow)
    return
  }
  await moveProperties(tx, treeId, source, target)
  await deleteLocksWithin(tx, treeId, source)
  for (const follower of followers) {
    await follower.moved(tx, treeId, fromText(source), fromText(target))
  }
}
