import {
  checkPath,
  FileError,
  type FileTree,
  type Placed,
  type PlaceOptions,
  type TreePath,
} from '../files/index.ts'
import type { Mount } from '../shares/index.ts'
import { copyAcross, moveAcross, type CopyLimits, type End } from './across.ts'
import { mountEntry } from './entries.ts'
import { MountError } from './errors.ts'
import { createSharesFolder } from './folder.ts'
import type { MountsOfUser } from './mounts-of-user.ts'
import { findSpot, type Spot } from './places.ts'
import { propertiesBelow } from './properties-below.ts'

export interface UserTreeDeps {
  /** The user's own files. */
  readonly home: FileTree
  readonly sharedFolder: string
  /** Of what is copied between the trees. */
  readonly limits: CopyLimits
  /** Told of what a copy had to leave at a sender, by its name there. */
  onLeft(name: string, cause: unknown): void
  mounts(): MountsOfUser | Promise<MountsOfUser>
  /** What another server shares, as a tree. */
  openMount(mount: Mount): FileTree
  /** @returns false when the name is another share's. */
  rename(mount: Mount, name: string): Promise<boolean>
  /** Gives a share back. */
  decline(mount: Mount): Promise<void>
  nextVersion(): number
}

const refuse = (message: string): MountError => new MountError('not_in_mount', message)

/**
 * A user's home, and in its folder of shares what other servers give. Whoever has no share gets the
 * home's own answers, and so does everybody outside of that folder.
 */
export function createUserTree(deps: UserTreeDeps): FileTree {
  const { home, sharedFolder, limits, openMount } = deps
  const onLeft = (name: string, cause: unknown): void => deps.onLeft(name, cause)
  const folder = createSharesFolder(home, sharedFolder, deps.nextVersion)

  const isOurs = (path: TreePath): boolean => path[0] === sharedFolder

  const find = async (path: TreePath): Promise<Spot> => findSpot(path, await deps.mounts())

  /** The shares, where the root of the home shows that there are any. */
  async function sharesAtRoot(path: TreePath): Promise<MountsOfUser | undefined> {
    if (path.length > 0) return undefined
    const mounts = await deps.mounts()
    return mounts.list.length > 0 ? mounts : undefined
  }

  /** The tree that has what is to be read or changed, and where in it. */
  async function findEnd(path: TreePath): Promise<End> {
    if (!isOurs(path)) return { tree: home, path }
    const spot = await find(path)
    return spot.kind === 'mount'
      ? { tree: openMount(spot.mount), path: spot.inner }
      : { tree: home, path }
  }

  /** The same for something that is to be made. */
  async function findTarget(path: TreePath): Promise<End> {
    if (!isOurs(path)) return { tree: home, path }
    const spot = await find(path)
    if (spot.kind === 'folder') throw new FileError('exists')
    if (spot.kind === 'mount') {
      return { tree: openMount(spot.mount), path: spot.inner }
    }
    if (spot.kind === 'beside' && !(await folder.findLocal())) {
      checkPath(path)
      throw refuse(
        `"${sharedFolder}" holds what others share with you; put your own files beside it.`,
      )
    }
    return { tree: home, path }
  }

  /** Where a copy or a move leads; a share is never replaced by it. */
  async function findDestination(path: TreePath, { overwrite }: PlaceOptions): Promise<End> {
    const spot = isOurs(path) ? await find(path) : undefined
    const isShare = spot?.kind === 'folder' || (spot?.kind === 'mount' && spot.inner.length === 0)
    if (!isShare) return findTarget(path)
    if (!overwrite) throw new FileError('exists')
    throw refuse('What others share with you cannot be replaced; choose another name.')
  }

  const refuseFolder = (): MountError =>
    refuse(`"${sharedFolder}" holds what others share with you: take what is in it one by one.`)

  async function requireNoFolder(path: TreePath): Promise<void> {
    if (path.length !== 1 || !isOurs(path) || (await find(path)).kind !== 'folder') return
    throw refuseFolder()
  }

  /** Something of the user's own that a mount has hidden until lately: nobody means it yet. */
  async function isUncovered(path: TreePath, { leftAt }: MountsOfUser): Promise<boolean> {
    const uncoveredAt = leftAt(path[1] ?? '')
    const entry = uncoveredAt === undefined ? undefined : await home.stat(path.slice(0, 2))
    return entry !== undefined && entry.createdAt <= (uncoveredAt ?? 0)
  }

  /** The share whose own place a path is. */
  async function findMountAt(path: TreePath): Promise<Mount | undefined> {
    if (path.length !== 2 || !isOurs(path)) return undefined
    const spot = await find(path)
    return spot.kind === 'mount' ? spot.mount : undefined
  }

  async function rename(mount: Mount, to: TreePath, options: PlaceOptions): Promise<Placed> {
    const [, name = ''] = to
    if (!isOurs(to) || to.length !== 2) {
      throw refuse(
        `A share stays in "${sharedFolder}"; copy it to have the files, or remove it to give it back.`,
      )
    }
    if (mount.mountName === name) throw new FileError('into_itself')
    checkPath(to)
    const existing = await tree.glance?.(to)
    const isTaken = existing !== undefined || !(await deps.rename(mount, name))
    if (!isTaken) return { created: true }
    if (!options.overwrite) throw new FileError('exists')
    throw refuse('There is something of this name already; choose another.')
  }

  const tree: FileTree = {
    async stat(path) {
      if (path.length > 0 && !isOurs(path)) return home.stat(path)
      if (path.length === 0)
        return (await sharesAtRoot(path)) ? folder.root.stat() : home.stat(path)
      const spot = await find(path)
      if (spot.kind === 'folder') return folder.stat(spot.mounts)
      return spot.kind === 'mount' ? openMount(spot.mount).stat(spot.inner) : home.stat(path)
    },
    async *list(path) {
      const atRoot = await sharesAtRoot(path)
      const spot = isOurs(path) ? await find(path) : undefined
      if (atRoot) yield* folder.root.list(atRoot)
      else if (spot?.kind === 'folder') yield* folder.list(spot.mounts)
      else if (spot?.kind === 'mount') yield* openMount(spot.mount).list(spot.inner)
      else yield* home.list(path)
    },
    async view(path, hint) {
      if (path.length > 0 && !isOurs(path)) return home.view?.(path, hint)
      const atRoot = await sharesAtRoot(path)
      if (atRoot) return folder.root.view(atRoot)
      const spot = isOurs(path) ? await find(path) : undefined
      if (spot?.kind === 'folder') return folder.view(spot.mounts)
      return spot?.kind === 'mount'
        ? openMount(spot.mount).view?.(spot.inner, hint)
        : home.view?.(path, hint)
    },
    async glance(path) {
      if (!isOurs(path)) return tree.stat(path)
      const spot = await find(path)
      if (spot.kind !== 'mount') return tree.stat(path)
      return spot.inner.length === 0 ? mountEntry(spot.mount) : 'elsewhere'
    },
    async read(path, hint) {
      if (!isOurs(path)) return home.read(path, hint)
      const spot = await find(path)
      if (spot.kind === 'folder') throw new FileError('is_a_directory')
      return spot.kind === 'mount'
        ? openMount(spot.mount).read(spot.inner, hint)
        : home.read(path, hint)
    },
    async write(path, body, options) {
      const target = await findTarget(path).catch((error: unknown) => {
        throw error instanceof FileError && error.code === 'exists'
          ? new FileError('is_a_directory')
          : error
      })
      return target.tree.write(target.path, body, options)
    },
    async mkdir(path) {
      const target = await findTarget(path)
      await target.tree.mkdir(target.path)
    },
    async remove(path) {
      if (!isOurs(path)) return home.remove(path)
      // Looked for once: what was a mount a moment ago must not be the user's own by now.
      const mounts = await deps.mounts()
      const spot = findSpot(path, mounts)
      if (spot.kind === 'folder') throw refuseFolder()
      if (spot.kind === 'mount') {
        const { mount, inner } = spot
        return inner.length === 0 ? deps.decline(mount) : openMount(mount).remove(inner)
      }
      // A client that asks again, or late, means the mount that was here.
      if (await isUncovered(path, mounts)) throw new FileError('not_found')
      return home.remove(path)
    },
    async copy(from, to, options) {
      await requireNoFolder(from)
      const target = await findDestination(to, options)
      const source = await findEnd(from)
      return source.tree === target.tree
        ? source.tree.copy(source.path, target.path, options)
        : copyAcross(source, target, { ...options, limits, onLeft })
    },
    async move(from, to, options) {
      await requireNoFolder(from)
      const mount = await findMountAt(from)
      if (mount) return rename(mount, to, options)
      const target = await findDestination(to, options)
      const source = await findEnd(from)
      return source.tree === target.tree
        ? source.tree.move(source.path, target.path, options)
        : moveAcross(source, target, { ...options, limits, onLeft })
    },
    async space(path) {
      const { tree: owner, path: inner } = await findEnd(path)
      return owner.space(inner)
    },
    async permissionsAt(path) {
      const spot = isOurs(path) ? await find(path) : undefined
      return spot?.kind === 'mount' ? (spot.mount.permissions ?? undefined) : undefined
    },
    async properties(path) {
      const spot = isOurs(path) ? await find(path) : undefined
      if (spot?.kind !== 'mount') return undefined
      const own = await openMount(spot.mount).properties?.(spot.inner)
      return own && propertiesBelow([sharedFolder, spot.mount.mountName], own)
    },
  }
  return tree
}
