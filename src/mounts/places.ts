import type { TreePath } from '../files/index.ts'
import type { Mount } from '../shares/index.ts'
import type { MountsOfUser } from './mounts-of-user.ts'

/** Where a path of a user's tree leads. */
export type Spot =
  | { readonly kind: 'home' }
  /** The folder of shares itself, or what is in it beside the shares. */
  | { readonly kind: 'folder' | 'beside'; readonly mounts: MountsOfUser }
  | { readonly kind: 'mount'; readonly mount: Mount; readonly inner: TreePath }

const home: Spot = { kind: 'home' }

/** @param sharedFolder the name of the folder of shares; it is there while there is a share in it. */
export function findSpot(path: TreePath, mounts: MountsOfUser): Spot {
  if (mounts.list.length === 0) return home
  const [, name, ...inner] = path
  if (name === undefined) return { kind: 'folder', mounts }
  const mount = mounts.find(name)
  return mount ? { kind: 'mount', mount, inner } : { kind: 'beside', mounts }
}
