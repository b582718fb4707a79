import type { TreePath, TreeProperties } from '../files/index.ts'

/** The properties of a tree whose root is at a path of another one, in the paths of that one. */
export const propertiesBelow = (root: TreePath, own: TreeProperties): TreeProperties => ({
  async find(path, reach, names) {
    const found = await own.find(path.slice(root.length), reach, names)
    return found.map((property) => ({ ...property, path: [...root, ...property.path] }))
  },
  patch: (path, steps) => own.patch(path.slice(root.length), steps),
})
