import type { BigIntStats } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { FileError, toFileError } from '../errors.ts'
import type { Entry, FileTree, Space } from '../file-tree.ts'
import { isWithin, type TreePath } from '../tree-path.ts'
import type { LocalContext } from './context.ts'
import { copyLocally } from './copy.ts'
import type { Durability } from './disk.ts'
import { isServed, lookAt, toEntry } from './entry.ts'
import { createGuard, type Guard } from './guard.ts'
import { listDirectory } from './list.ts'
import { isOtherDevice, makeDirectory, placeLocally, removeLocally } from './place.ts'
import { openLocalFile } from './read.ts'
import { createTurns, type Turns } from './turns.ts'
import { createStamp, writeLocalFile } from './write.ts'

export interface LocalTreeOptions {
  /** A directory that exists; a missing one makes everything `not_found` or `parent_missing`. */
  readonly root: string
  /** `full`: what was acknowledged outlives a power cut. `normal`: it outlives a crash of ours. */
  readonly durability: Durability
  /**
   * Whose turn it is to replace what. Trees over the same directory must share one, or conditional
   * writes through one do not see writes through the other.
   */
  readonly turns?: Turns
}

const nameOf = (path: TreePath): string => path.at(-1) ?? ''

/** A tree of files on a local disk: see `FileTree` for what it promises. */
export function createLocalTree(options: LocalTreeOptions): FileTree {
  const guard = createGuard(options.root)
  const context: LocalContext = {
    guard,
    durability: options.durability,
    turns: options.turns ?? createTurns(),
    stamp: createStamp(),
  }
  const tree: FileTree = {
    stat: (path) => stat(guard, path),
    async *list(path) {
      yield* listDirectory(guard, await guard.find(path))
    },
    read: async (path) => openLocalFile(guard, await guard.find(path), nameOf(path)),
    async write(path, body, writeOptions = {}) {
      if (path.length === 0) throw new FileError('is_a_directory')
      return writeLocalFile(context, await guard.claim(path), nameOf(path), body, writeOptions)
    },
    async mkdir(path) {
      if (path.length === 0) throw new FileError('exists')
      const target = await guard.claim(path)
      await guard.verifyParent(target)
      await makeDirectory(context, target)
    },
    async remove(path) {
      if (path.length === 0) throw new FileError('is_root')
      await inOurWords(async () => removeLocally(context, await findVerified(guard, path)))
    },
    copy: (from, to, copyOptions) =>
      inOurWords(async () => {
        const ends = await findEnds(guard, from, to, copyOptions.shallow === true)
        return copyLocally(context, ends.source, ends.target, copyOptions)
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
      }
    },
    space: () => space(guard),
  }
  return tree
}

async function stat(guard: Guard, path: TreePath): Promise<Entry | undefined> {
  const look = async (): Promise<BigIntStats | undefined> => {
    const absolute = await guard.find(path)
    const [stats] = await Promise.all([lookAt(absolute), guard.verifyParent(absolute)])
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
  await guard.verifyParent(absolute).catch((cause: unknown) => {
    throw cause instanceof FileError ? new FileError('not_found', { cause }) : cause
  })
  return absolute
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
