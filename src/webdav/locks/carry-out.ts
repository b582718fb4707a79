import { lookIn, type TreePath } from '../../files/index.ts'
import type { Exchange } from '../exchange.ts'
import { insideOf, placeOf } from './place.ts'

/** A change of files that properties and locks follow, in the paths of the exchange's own tree. */
export type TreeChange =
  | { readonly kind: 'remove'; readonly path: TreePath }
  | {
      readonly kind: 'move' | 'copy'
      readonly from: TreePath
      readonly to: TreePath
      readonly shallow?: boolean
    }

export function carryOut<Result>(
  exchange: Exchange,
  change: TreeChange,
  work: () => Promise<Result>,
): Promise<Result> {
  const { tree, settings } = exchange
  const at = (path: TreePath): TreePath => placeOf(exchange, path).path
  const { treeId } = placeOf(exchange, [])
  const absolute =
    change.kind === 'remove'
      ? { ...change, treeId, path: at(change.path) }
      : { ...change, treeId, from: at(change.from), to: at(change.to) }
  return settings.resources.carryOut(
    absolute,
    (path) => lookIn(tree)(insideOf(exchange, path)),
    work,
  )
}
