import { newId } from '../core/index.ts'
import {
  FileError,
  type CopyOptions,
  type Entry,
  type FileTree,
  type Placed,
  type PlaceOptions,
  type TreePath,
} from '../files/index.ts'

/** Something in one of the trees that a copy leads through. */
export interface End {
  readonly tree: FileTree
  readonly path: TreePath
}

interface AcrossOptions extends CopyOptions {
  /** What is moved keeps the times of its files, as far as the other tree keeps any. */
  readonly keepsTimes?: boolean
}

/**
 * Copies from one tree into another, streaming. What is there already is replaced only when
 * everything has arrived; a failure leaves it as it was.
 */
export async function copyAcross(from: End, to: End, options: AcrossOptions): Promise<Placed> {
  const source = await from.tree.stat(from.path)
  if (!source) throw new FileError('not_found')
  const existing = await to.tree.stat(to.path)
  if (existing && !options.overwrite) throw new FileError('exists')
  // A file takes its place at once by itself.
  if (source.kind === 'file' && existing?.kind !== 'directory') {
    return copyFile(from, to, options)
  }
  const fill = (tree: FileTree, path: TreePath): Promise<void> =>
    copyAll(from, { tree, path }, source, options)
  return to.tree.receive
    ? to.tree.receive(to.path, options, fill)
    : receiveBeside(to, options, fill)
}

/** The same, and the source goes when all of it has arrived and is still what arrived. */
export async function moveAcross(from: End, to: End, options: PlaceOptions): Promise<Placed> {
  const before = await from.tree.stat(from.path)
  const placed = await copyAcross(from, to, { ...options, keepsTimes: true })
  const after = await from.tree.stat(from.path)
  if (before?.etag !== after?.etag) throw new FileError('changed')
  await from.tree.remove(from.path)
  return placed
}

async function copyFile(from: End, to: End, options: AcrossOptions): Promise<Placed> {
  const file = await from.tree.read(from.path)
  const content = file.stream()
  try {
    const { modifiedAt } = file.entry
    const { created } = await to.tree.write(to.path, content as AsyncIterable<Uint8Array>, {
      ...(!options.overwrite && { expected: 'absent' as const }),
      ...(options.keepsTimes && { modifiedAt }),
      size: file.entry.size,
    })
    return { created }
  } catch (error) {
    const isTaken = error instanceof FileError && error.code === 'changed' && !options.overwrite
    throw isTaken ? new FileError('exists', { cause: error }) : error
  } finally {
    content.destroy()
    await file.close()
  }
}

/** Depth first; a listing is read to its end before anything in it is copied. */
async function copyAll(from: End, to: End, found: Entry, options: AcrossOptions): Promise<void> {
  if (found.kind === 'file') {
    await copyFile(from, to, options)
    return
  }
  await to.tree.mkdir(to.path)
  if (options.shallow) return
  const members: Entry[] = []
  for await (const batch of from.tree.list(from.path)) members.push(...batch)
  for (const member of members) {
    const source = below(from, member.name)
    await copyAll(source, below(to, member.name), member, options).catch(unlessGone(source))
  }
}

/** What vanishes while its directory is copied was not there. */
const unlessGone =
  ({ tree, path }: End) =>
  async (error: unknown): Promise<void> => {
    const mayBeGone = error instanceof FileError && error.code === 'not_found'
    if (!mayBeGone || (await tree.stat(path))) throw error
  }

const below = ({ tree, path }: End, name: string): End => ({ tree, path: [...path, name] })

/**
 * Where nothing can be hidden it is built under a name of its own beside the target, which others
 * see, and what keeps the tree puts it in place.
 */
async function receiveBeside(
  { tree, path }: End,
  options: PlaceOptions,
  fill: (tree: FileTree, path: TreePath) => Promise<void>,
): Promise<Placed> {
  const beside = [...path.slice(0, -1), `.arriving-${newId()}`]
  try {
    await fill(tree, beside)
    return await tree.move(beside, path, options)
  } catch (error) {
    await tree.remove(beside).catch(() => undefined)
    throw error
  }
}
