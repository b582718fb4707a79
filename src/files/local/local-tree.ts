import { statfs } from 'node:fs/promises'
import { FileError, toFileError } from '../errors.ts'
import type { DirectoryView, Entry, FileTree, OpenFile, Space } from '../file-tree.ts'
import { isWithin, type TreePath } from '../tree-path.ts'
import type { LocalContext } from './context.ts'
import { copyLocally } from './copy.ts'
import type { Durability } from './disk.ts'
import { isServed, lookAt, toEntry } from './entry.ts'
import { createGuard, type Guard } from './guard.ts'
import { listDirectory } from './list.ts'
import { createLocalState, type LocalState } from './local-state.ts'
import type { Medium } from './medium.ts'
import { isOtherDevice, makeDirectory, placeLocally, removeLocally } from './place.ts'
import { openLocalFile } from './read.ts'
import type { SmallFiles } from './small-files.ts'
import { createStamp } from './stamp.ts'
import type { Views } from './views.ts'
import { writeLocalFile } from './write.ts'

export interface LocalTreeOptions {
  /** A directory that exists; a missing one makes everything `not_found` or `parent_missing`. */
  readonly root: string
  /** `full`: what was acknowledged outlives a power cut. `normal`: it outlives a crash of ours. */
  readonly durability: Durability
  /** What the root is mounted from: with `network` nothing is kept, and nothing waited for in place. */
  readonly medium?: Medium
  /** Trees over the same directory must share one, or they do not see each other's changes at once. */
  readonly state?: LocalState
}

const nameOf = (path: TreePath): string => path.at(-1) ?? ''

/** A tree of files on a local disk: see `FileTree` for what it promises. */
export function createLocalTree(options: LocalTreeOptions): FileTree {
  const guard = createGuard(options.root, options.medium)
  const { turns, readBatches, views, smallFiles } = options.state ?? createLocalState()
  const { durability } = options
  const context: LocalContext = { guard, durability, turns, readBatches, stamp: createStamp() }
  const tree: FileTree = {
    stat: (path) => stat(guard, path),
    async *list(path) {
      yield* listDirectory(guard, await guard.find(path))
    },
    view: (path) => view(guard, views, path),
    read: (path) => read(guard, smallFiles, path),
    async write(path, body, writeOptions = {}) {
      if (path.length === 0) throw new FileError('is_a_directory')
      const target = await guard.claim(path)
      try {
        return await writeLocalFile(context, target, nameOf(path), body, writeOptions)
      } finally {
        views.changed(target)
      }
    },
    async mkdir(path) {
      if (path.length === 0) throw new FileError('exists')
      const target = await guard.claim(path)
      await guard.verifyParent(target)
      await makeDirectory(context, target)
      views.changed(target)
    },
    async remove(path) {
      if (path.length === 0) throw new FileError('is_root')
      const target = await inOurWords(() => findVerified(guard, path))
      try {
        await inOurWords(() => removeLocally(context, target))
      } finally {
        views.treeChanged(target)
      }
    },
    copy: (from, to, copyOptions) =>
      inOurWords(async () => {
        const ends = await findEnds(guard, from, to, copyOptions.shallow === true)
        try {
          return await copyLocally(context, ends.source, ends.target, copyOptions)
        } finally {
          views.treeChanged(ends.target)
        }
      }),
    async move(from, to, placeOptions) {
      if (from.length === 0) throw new FileError('is_root')
      const { source, target } = await findEnds(guard, from, to, false)
      try {
        return await inOurWords(() => placeLocally(context, source, target, placeOptions))
      } catch (error) {
        if (!isOtherDevice(error)) throw error
        // Another file system is mounted inside the tree: no rename goes there.
        const placed = await tree.copy(from, to, placeOptions)
        await tree.remove(from)
        return placed
      } finally {
        views.treeChanged(source)
        views.treeChanged(target)
      }
    },
    space: () => space(guard),
  }
  return tree
}

async function view(
  guard: Guard,
  views: Views,
  path: TreePath,
): Promise<DirectoryView | undefined> {
  const absolute = await guard.find(path).catch(() => undefined)
  if (absolute === undefined || !guard.isQuick()) return undefined
  const found = await views.find(guard, absolute)
  return found && { ...found, entry: found.entry.named(nameOf(path)) }
}

async function read(guard: Guard, smallFiles: SmallFiles, path: TreePath): Promise<OpenFile> {
  const absolute = await guard.find(path)
  if (guard.isQuick()) {
    const known = smallFiles.find(absolute)
    if (known) return known
    await findParent(guard, absolute)
    const file = smallFiles.open(guard, absolute, nameOf(path))
    if (file) return file
  }
  return openLocalFile(guard, absolute, nameOf(path))
}

async function stat(guard: Guard, path: TreePath): Promise<Entry | undefined> {
  const look = async () => {
    const absolute = await guard.find(path)
    const [stats] = await Promise.all([guard.look(absolute), guard.verifyParent(absolute)])
    return stats
  }
  const stats = await inOurWords(look).catch((error: unknown) => {
    if (error instanceof FileError) return undefined
    throw error
  })
  return stats && isServed(stats) ? toEntry(nameOf(path), stats) : undefined
}

async function findVerified(guard: Guard, path: TreePath): Promise<string> {
  const absolute = await guard.find(path)
  await findParent(guard, absolute)
  return absolute
}

/** For something that should exist: without its parent it does not. */
async function findParent(guard: Guard, absolute: string): Promise<void> {
  await guard.verifyParent(absolute).catch((cause: unknown) => {
    throw cause instanceof FileError ? new FileError('not_found', { cause }) : cause
  })
}

/** The two ends of a copy or move, checked for what needs no look at the disk first. */
async function findEnds(guard: Guard, from: TreePath, to: TreePath, shallow: boolean) {
  if (to.length === 0) throw new FileError('is_root')
  // A directory copied without its members does not meet itself below.
  const meets = isWithin(to, from) && !(shallow && to.length > from.length)
  if (isWithin(from, to)) throw new FileError('into_itself')
  const source = await findVerified(guard, from)
  const stats = await lookAt(source)
  if (!stats || !isServed(stats)) throw new FileError('not_found')
  if (meets && stats.isDirectory()) throw new FileError('into_itself')
  const target = await guard.claim(to)
  await guard.verifyParent(target)
  const parent = await lookAt(target.slice(0, target.lastIndexOf('/')))
  if (!parent?.isDirectory()) throw new FileError('parent_missing')
  return { source, target }
}

async function inOurWords<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw toFileError(error)
  }
}

async function space(guard: Guard): Promise<Space | undefined> {
  const { bsize, blocks, bfree, bavail } = await statfs(await guard.root())
  return { availableBytes: bavail * bsize, usedBytes: (blocks - bfree) * bsize }
}
