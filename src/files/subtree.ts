import { FileError } from './errors.ts'
import type { FileTree } from './file-tree.ts'
import { checkPath, type TreePath } from './tree-path.ts'

/**
 * The part of a tree at and below `path`, as a tree of its own: nothing above can be named, and its
 * root cannot be moved or removed through it. The root may be a file.
 */
export function subtree(tree: FileTree, path: TreePath): FileTree {
  checkPath(path)
  if (path.length === 0) return tree
  const at = (inner: TreePath): TreePath => [...path, ...inner]
  const below = (inner: TreePath): TreePath => {
    if (inner.length === 0) throw new FileError('is_root')
    return at(inner)
  }
  const { permissionsAt } = tree
  return {
    stat: (inner) => tree.stat(at(inner)),
    list: (inner, options) => tree.list(at(inner), options),
    view: (inner, hint) => tree.view?.(at(inner), hint) ?? Promise.resolve(undefined),
    read: (inner, hint) => tree.read(at(inner), hint),
    async write(inner, body, options) {
      // A root that is gone is not created anew: the share ended with what was shared.
      if (inner.length === 0 && (await tree.stat(path)) === undefined) {
        throw new FileError('not_found')
      }
      return tree.write(at(inner), body, options)
    },
    mkdir: async (inner) => tree.mkdir(below(inner)),
    remove: async (inner) => tree.remove(below(inner)),
    copy: async (from, to, options) => tree.copy(at(from), below(to), options),
    move: async (from, to, options) => tree.move(below(from), below(to), options),
    space: (inner) => tree.space(at(inner)),
    ...(permissionsAt && { permissionsAt: (inner) => permissionsAt(at(inner)) }),
  }
}
