import type { Entry, FileTree } from './file-tree.ts'
import type { TreePath } from './tree-path.ts'

/** What is at a path, as far as the tree can tell without asking anybody else. */
export const lookIn =
  (tree: FileTree) =>
  async (path: TreePath): Promise<Entry | 'elsewhere' | undefined> =>
    tree.glance ? tree.glance(path) : tree.stat(path)

/** The same, and the rest is asked for. */
export async function glance(tree: FileTree, path: TreePath): Promise<Entry | undefined> {
  const found = await lookIn(tree)(path)
  return found === 'elsewhere' ? tree.stat(path) : found
}
