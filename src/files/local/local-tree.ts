import { stat as statPath, statfs } from 'node:fs/promises'
import { andThen, orElse, type Awaitable } from '../../core/index.ts'
import { FileError, toFileError } from '../errors.ts'
import type { DirectoryView, Entry, FileTree, OpenFile, Space } from '../file-tree.ts'
import type { TreePath } from '../tree-path.ts'
import type { LocalContext } from './context.ts'
import { copyLocally } from './copy.ts'
import type { Durability } from './disk.ts'
import { toServed } from './entry.ts'
import { createGuard, type Guard } from './guard.ts'
import { canHold } from './held.ts'
import { holdListed, withEnds, withFound, withParent } from './held-places.ts'
import { listDirectory } from './list.ts'
import { createLocalState, type LocalState } from './local-state.ts'
import type { Looks } from './looks.ts'
import type { Medium } from './medium.ts'
import type { Pace } from './pace.ts'
import { isOtherDevice, makeDirectory, placeLocally, removeLocally } from './place.ts'
import { openLocalFile } from './read.ts'
import { receiveLocally } from './receive.ts'
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
  const { turns, pace, readingPace, readBatches, views, smallFiles, looks, live } =
    options.state ?? createLocalState()
  const context: LocalContext = {
    guard,
    durability: options.durability,
    // Everybody waits for the same name, however it was reached.
    turns: { take: (paths, work) => turns.take(paths.map(guard.nameOf), work) },
    pace,
    live,
    readBatches,
    stamp: createStamp(),
  }

  /** What is kept of these places is worth nothing once `work` has begun to change them. */
  async function changing<Result>(
    reach: 'one' | 'tree',
    paths: readonly TreePath[],
    work: () => Promise<Result>,
  ): Promise<Result> {
    try {
      return await work()
    } finally {
      const root = await orElse(guard.root, () => undefined)
      for (const path of root === undefined ? [] : paths) {
        const absolute = [root, ...path].join('/')
        views.changed(absolute)
        if (reach === 'tree') views.changedBelow(absolute)
      }
    }
  }

  const tree: FileTree = {
    stat: (path) => stat(guard, looks, path),
    async *list(path, listOptions) {
      const held = await holdListed(guard, path)
      try {
        yield* listDirectory(guard, held.path, listOptions)
      } finally {
        held.release()
      }
    },
    view: (path) => view(guard, views, path),
    read: (path) => read(guard, smallFiles, readingPace, path),
    async write(path, body, writeOptions = {}) {
      if (path.length === 0) throw new FileError('is_a_directory')
      const absolute = await guard.claim(path)
      return changing('one', [path], () =>
        withParent(guard, absolute, (target) =>
          writeLocalFile(context, target, nameOf(path), body, writeOptions),
        ),
      )
    },
    async mkdir(path) {
      if (path.length === 0) throw new FileError('exists')
      const absolute = await guard.claim(path)
      await changing('one', [path], () =>
        withParent(guard, absolute, (target) => makeDirectory(context, target)),
      )
    },
    async remove(path) {
      if (path.length === 0) throw new FileError('is_root')
      await changing('tree', [path], () =>
        inOurWords(() => withFound(guard, path, (target) => removeLocally(context, target))),
      )
    },
    copy: (from, to, copyOptions) =>
      changing('tree', [to], () =>
        inOurWords(() =>
          withEnds(guard, from, to, copyOptions.shallow === true, (source, target) =>
            copyLocally(context, source, target, copyOptions),
          ),
        ),
      ),
    async move(from, to, placeOptions) {
      if (from.length === 0) throw new FileError('is_root')
      try {
        return await changing('tree', [from, to], () =>
          inOurWords(() =>
            withEnds(guard, from, to, false, (source, target) =>
              placeLocally(context, source, target, placeOptions),
            ),
          ),
        )
      } catch (error) {
        if (!isOtherDevice(error)) throw error
        // Another file system is mounted inside the tree: no rename goes there.
        const placed = await tree.copy(from, to, placeOptions)
        await tree.remove(from)
        return placed
      }
    },
    async receive(to, placeOptions, fill) {
      if (to.length === 0) throw new FileError('is_root')
      const absolute = await guard.claim(to)
      const open = (root: string): FileTree => createLocalTree({ ...options, root })
      return changing('tree', [to], () =>
        inOurWords(() => receiveLocally(context, absolute, placeOptions, open, fill)),
      )
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
  const absolute = await orElse(
    () => guard.find(path),
    () => undefined,
  )
  if (absolute === undefined || !guard.isQuick()) return undefined
  const found = await views.find(guard, absolute)
  return found && { ...found, entry: found.entry.named(nameOf(path)) }
}

const read = (
  guard: Guard,
  smallFiles: SmallFiles,
  pace: Pace,
  path: TreePath,
): Awaitable<OpenFile> =>
  andThen(guard.find(path), (absolute) => {
    const name = nameOf(path)
    if (!guard.isQuick()) return openLocalFile(guard, absolute, name)
    return smallFiles.open(guard, absolute, name) ?? openLocalFile(guard, absolute, name, pace)
  })

const stat = (guard: Guard, looks: Looks, path: TreePath): Awaitable<Entry | undefined> =>
  orElse(
    () => look(guard, looks, path),
    (error) => {
      if (toFileError(error) instanceof FileError) return undefined
      throw error
    },
  )

const look = (guard: Guard, looks: Looks, path: TreePath): Awaitable<Entry | undefined> =>
  andThen(guard.find(path), (absolute) =>
    canHold && guard.isQuick()
      ? looks.look(guard, absolute, nameOf(path))
      : withFound<Entry | undefined>(guard, path, async (place) =>
          toServed(nameOf(path), await guard.look(place)),
        ),
  )

async function inOurWords<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw toFileError(error)
  }
}

async function space(guard: Guard): Promise<Space | undefined> {
  const root = await guard.root()
  const [{ bsize, blocks, bfree, bavail }, { dev }] = await Promise.all([
    statfs(root),
    statPath(root),
  ])
  return {
    availableBytes: bavail * bsize,
    usedBytes: (blocks - bfree) * bsize,
    store: String(dev),
  }
}
