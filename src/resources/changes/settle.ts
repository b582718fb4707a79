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
  const isGone = row.kind === 'move' && !source
  if (target === 'elsewhere') return isGone ? 'done' : 'nothing'
  // Also where the source is gone: then somebody else removed it.
  if ((target?.etag ?? null) === row.targetEtag) return 'nothing'
  if (isGone) return target ? 'done' : 'nothing'
  return row.kind === 'copy' ? 'done' : 'replaced'
}

/** Which ends of a change are kept elsewhere: what is known here of their paths is not of them. */
export interface Abroad {
  readonly source: boolean
  readonly target: boolean
}

export const findAbroad = async ({ source, target }: ChangeRow, look: Look): Promise<Abroad> => ({
  source: await isAbroad(fromText(source), look),
  target: await isAbroad(fromText(target), look),
})

/** Of the place where such a part begins something is known; of nothing below. */
const isAbroad = async (path: TreePath, look: Look): Promise<boolean> =>
  (await look([...path, '-'])) === 'elsewhere'

/**
 * Lets properties and locks do what their resources did.
 *
 * RFC 4918 §7.7: a lock never travels, and a lock of the very target stays, because the client that
 * replaces what is there presented it; the locks of what the target held end with that. Properties
 * and followers never leave the part of the tree that they are of, nor change for another's sake.
 */
export async function settle(
  tx: Transaction,
  row: ChangeRow,
  outcome: Outcome,
  abroad: Abroad,
  followers: readonly Follower[],
): Promise<void> {
  const { id, kind, treeId, source, target, shallow } = row
  await deleteChange(tx, id)
  if (outcome === 'nothing') return
  if (!abroad.target) await deletePropertiesWithin(tx, treeId, target)
  await deleteLocksWithin(tx, treeId, target, kind !== 'remove')
  if (outcome === 'replaced' || kind === 'remove') return
  if (kind === 'copy') {
    const isHere = !abroad.source && !abroad.target
    if (isHere) await copyProperties(tx, treeId, source, target, shallow)
    return
  }
  await deleteLocksWithin(tx, treeId, source)
  if (abroad.source) return
  if (abroad.target) {
    await deletePropertiesWithin(tx, treeId, source)
    return
  }
  await moveProperties(tx, treeId, source, target)
  for (const follower of followers) {
    await follower.moved(tx, treeId, fromText(source), fromText(target))
  }
}
