import type { TreePath } from '../../files/index.ts'
import { toText } from '../path-text.ts'
import type { ChangeRow } from './queries.ts'

/** What is about to happen to files. */
export type Change =
  | { readonly kind: 'remove'; readonly treeId: string; readonly path: TreePath }
  | {
      readonly kind: 'move' | 'copy'
      readonly treeId: string
      readonly from: TreePath
      readonly to: TreePath
      /** Without members. */
      readonly shallow?: boolean
    }

/** A version of a resource; whatever replaces it has another. */
export interface Version {
  readonly etag: string
}

/** What stands at a path of the change's tree; `elsewhere` where that cannot be told. */
export type Look = (path: TreePath) => Promise<Version | 'elsewhere' | undefined>

export const sourceOf = (change: Change): TreePath =>
  change.kind === 'remove' ? change.path : change.from

export const targetOf = (change: Change): TreePath =>
  change.kind === 'remove' ? change.path : change.to

export const toRow = (
  change: Change,
  id: string,
  targetEtag: string | null,
  createdAt: number,
  runId: string | null,
): ChangeRow => ({
  id,
  treeId: change.treeId,
  kind: change.kind,
  source: toText(sourceOf(change)),
  target: toText(targetOf(change)),
  shallow: change.kind !== 'remove' && change.shallow === true,
  targetEtag,
  createdAt,
  runId,
})
