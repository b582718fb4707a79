import type { TreePath } from '../files/index.ts'

/** A resource, whoever asks for it and wherever it is mounted for them. */
export interface ResourcePlace {
  /** The user whose tree it is in. */
  readonly treeId: string
  /** From the root of that tree. */
  readonly path: TreePath
}
