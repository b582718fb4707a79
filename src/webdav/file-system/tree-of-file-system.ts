import { v2 } from 'webdav-server'
import {
  checkPath,
  createTurns,
  FileError,
  isWithin,
  type Entry,
  type FileTree,
  type Placed,
  type TreePath,
  type Turns,
  type WriteOptions,
  type Written,
} from '../../files/index.ts'
import { createCalls } from './calls.ts'
import { createEntityTags } from './entity-tags.ts'
import { isServedName, listMembers, look, requireParent, type Source } from './look.ts'
import { besides, discard, place } from './place.ts'
import { openFile } from './read.ts'
import { checkExpected, copyAll, createFile } from './write.ts'

/**
 * Any webdav-server v2 file system as a tree, with our methods, locks and entity tags in front of
 * it instead of webdav-server's. Make one tree per file system: it is where conditions are checked
 * and changes are counted, so it knows nothing of changes that do not pass through it beyond what
 * size, date and entity tag of the file system show.
 *
 * What a v2 file system cannot promise, no adapter can:
 *
 * - Content comes under a hidden name (`.davmesh-…`) first, so an upload that fails leaves the old
 *   file alone. Putting it in place is as atomic as the file system's own `_move`; without one it is
 *   a copy. A crash can leave a hidden member behind.
 * - A file that is replaced while somebody reads it is as whole as the file system's read stream.
 *   Ranges are cut out of the whole stream.
 * - Entity tags are strong, and new ones after every start of the process.
 * - Nobody can catch what a file system throws in a callback of its own, or hurry one that never
 *   calls back.
 */
export function treeOfFileSystem(fileSystem: v2.FileSystem): FileTree {
  const source: Source = { calls: createCalls(fileSystem), tags: createEntityTags() }
  const turns = createTurns()
  const { calls } = source
  return {
    stat: (path) => look(source, path),
    list: (path, listOptions) => listMembers(source, path, listOptions),
    read: (path) => openFile(source, (work) => turns.take([keyOf(path)], work), path),
    write: (path, body, options) => write(source, turns, path, body, options),
    async mkdir(path) {
      if (path.length === 0) throw new FileError('exists')
      checkPath(path)
      await requireParent(source, path)
      await turns.take([keyOf(path)], async () => {
        if (await look(source, path)) throw new FileError('exists')
        await source.tags.changing([path], () => calls.create(path, v2.ResourceType.Directory))
      })
    },
    async remove(path) {
      if (path.length === 0) throw new FileError('is_root')
      await turns.take([keyOf(path)], async () => {
        if (!(await look(source, path))) throw new FileError('not_found')
        await source.tags.changing([path], () => calls.remove(path))
      })
    },
    async copy(from, to, { overwrite, shallow = false }) {
      const { kind } = await checkEnds(source, from, to, shallow)
      if (!overwrite && (await look(source, to))) throw new FileError('exists')
      const temporary = besides(to, 'copy')
      try {
        await copyAll(calls, from, temporary, isServedName, shallow)
        return await turns.take([keyOf(to)], () => arrive(source, temporary, to, kind, overwrite))
      } catch (error) {
        await discard(calls, temporary)
        throw error
      }
    },
    async move(from, to, { overwrite }) {
      if (from.length === 0) throw new FileError('is_root')
      await checkEnds(source, from, to, false)
      return turns.take([keyOf(from), keyOf(to)], async () => {
        const entry = await look(source, from)
        if (!entry) throw new FileError('not_found')
        return source.tags.changing([from], () => arrive(source, from, to, entry.kind, overwrite))
      })
    },
    // A v2 file system does not say.
    space: () => Promise.resolve(undefined),
  }
}

const keyOf = (path: TreePath): string => path.join('/')

async function write(
  source: Source,
  turns: Turns,
  path: TreePath,
  body: AsyncIterable<Uint8Array>,
  { maxBytes, expected }: WriteOptions = {},
): Promise<Written> {
  if (path.length === 0) throw new FileError('is_a_directory')
  checkPath(path)
  await requireParent(source, path)
  await findFile(source, path)
  const { calls, tags } = source
  const temporary = besides(path, 'put')
  try {
    await createFile(calls, temporary, body, maxBytes)
    return await turns.take([keyOf(path)], async () => {
      const existing = await findFile(source, path)
      checkExpected(existing, expected)
      await tags.changing([path], () => place(calls, temporary, path, 'file', existing))
      const entry = await look(source, path)
      if (!entry) throw new FileError('not_found')
      return { entry, created: existing === undefined }
    })
  } catch (error) {
    await discard(calls, temporary)
    throw error
  }
}

async function findFile(source: Source, path: TreePath): Promise<Entry | undefined> {
  const existing = await look(source, path)
  if (existing?.kind === 'directory') throw new FileError('is_a_directory')
  return existing
}

/** Only while it is `to`'s turn. */
async function arrive(
  source: Source,
  from: TreePath,
  to: TreePath,
  kind: Entry['kind'],
  overwrite: boolean,
): Promise<Placed> {
  const existing = await look(source, to)
  if (existing && !overwrite) throw new FileError('exists')
  await source.tags.changing([to], () => place(source.calls, from, to, kind, existing))
  return { created: existing === undefined }
}

async function checkEnds(
  source: Source,
  from: TreePath,
  to: TreePath,
  shallow: boolean,
): Promise<Entry> {
  if (to.length === 0) throw new FileError('is_root')
  if (isWithin(from, to)) throw new FileError('into_itself')
  const entry = await look(source, from)
  if (!entry) throw new FileError('not_found')
  // A directory copied without its members does not meet itself below.
  const meets = isWithin(to, from) && !shallow
  if (meets && entry.kind === 'directory') throw new FileError('into_itself')
  checkPath(to)
  await requireParent(source, to)
  return entry
}
