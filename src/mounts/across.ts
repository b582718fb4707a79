import type { Readable } from 'node:stream'
import { newId } from '../core/index.ts'
import {
  FileError,
  type CopyOptions,
  type Entry,
  type FileTree,
  type ListOptions,
  type Placed,
  type PlaceOptions,
  type TreePath,
} from '../files/index.ts'
import { paced, type Pace } from '../http/index.ts'
import { MountError } from './errors.ts'

/** Something in one of the trees that a copy leads through. */
export interface End {
  readonly tree: FileTree
  readonly path: TreePath
}

/** What one copy may bring: who shares something may have made it to fill our disk. */
export interface CopyLimits {
  /** Of one file. */
  readonly maxBytes: number
  readonly maxEntries: number
  /** How slowly a file may come. */
  readonly pace: Pace
}

interface AcrossOptions extends CopyOptions {
  readonly limits: CopyLimits
  /** Told of what was built beside its place and had to be left there. */
  readonly onLeft: (name: string, cause: unknown) => void
  /** Of a move: filled as it goes; files keep their times, as far as the other tree keeps any. */
  readonly copied?: Manifest
}

interface TreeOptions extends AcrossOptions {
  /** How much more may come. */
  readonly left: { entries: number }
}

/** Deeper than anybody goes, and about as deep as a disk lets paths be. */
const maxDepth = 100

/** Asking for room pays only when there is much to write. */
const largeBytes = 1024 * 1024

/** What was found to be copied, by path: the tag of a file, or that it is a directory. */
type Manifest = Map<string, string>

const keyOf = ({ path }: End): string => path.join('/')

const versionOf = ({ kind, etag }: Entry): string => (kind === 'file' ? etag : kind)

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
    options.copied?.set(keyOf(from), versionOf(source))
    return copyFile(from, to, options)
  }
  const left = { entries: options.limits.maxEntries }
  const fill = (tree: FileTree, path: TreePath): Promise<void> =>
    copyAll(from, { tree, path }, source, { ...options, left })
  return to.tree.receive
    ? to.tree.receive(to.path, options, fill)
    : receiveBeside(to, options, fill)
}

/**
 * The same, and the source goes when all of it has arrived and is still what arrived. What is not
 * shown would go with its directory without having arrived, so nothing that holds it is moved.
 */
export async function moveAcross(
  from: End,
  to: End,
  options: PlaceOptions & Pick<AcrossOptions, 'limits' | 'onLeft'>,
): Promise<Placed> {
  const copied: Manifest = new Map()
  const placed = await copyAcross(from, to, { ...options, copied })
  await checkOff(from, await from.tree.stat(from.path), copied)
  if (copied.size > 0) throw new FileError('changed')
  await from.tree.remove(from.path)
  return placed
}

/** Takes all that is there from what was copied, as long as it is the same. */
async function checkOff(from: End, found: Entry | undefined, copied: Manifest): Promise<void> {
  const key = keyOf(from)
  if (!found || copied.get(key) !== versionOf(found)) throw new FileError('changed')
  copied.delete(key)
  if (found.kind === 'file') return
  for (const member of await membersOf(from, { whole: true })) {
    await checkOff(below(from, member.name), member, copied)
  }
}

/** Read to its end at once: nobody knows how long what is done with each takes. */
async function membersOf({ tree, path }: End, options: ListOptions): Promise<Entry[]> {
  const members: Entry[] = []
  for await (const batch of tree.list(path, options)) members.push(...batch)
  return members
}

async function copyFile(from: End, to: End, options: AcrossOptions): Promise<Placed> {
  const { signal } = options
  signal?.throwIfAborted()
  const file = await from.tree.read(from.path)
  const content = file.stream()
  const leave = (): void => void content.destroy(signal?.reason as Error)
  signal?.addEventListener('abort', leave, { once: true })
  try {
    // Nobody listened while the file was opened.
    signal?.throwIfAborted()
    const { modifiedAt, size } = file.entry
    await checkRoom(to, size)
    const { created } = await to.tree.write(to.path, inTime(content, options.limits), {
      ...(!options.overwrite && { expected: 'absent' as const }),
      ...(options.copied && { modifiedAt }),
      size,
      disposable: file.disposable ?? false,
      maxBytes: options.limits.maxBytes,
    })
    return { created }
  } catch (error) {
    const isTaken = error instanceof FileError && error.code === 'changed' && !options.overwrite
    throw isTaken ? new FileError('exists', { cause: error }) : error
  } finally {
    signal?.removeEventListener('abort', leave)
    content.destroy()
    await file.close()
  }
}

const inTime = (content: Readable, { pace }: CopyLimits): AsyncIterable<Uint8Array> =>
  paced(content as AsyncIterable<Uint8Array>, {
    pace,
    tooSlow: () => new MountError('sender_too_slow', 'The content took too long to arrive.'),
  })

async function checkRoom({ tree, path }: End, size: number): Promise<void> {
  const space = size < largeBytes ? undefined : await tree.space(path.slice(0, -1))
  if (space && size > space.availableBytes) throw new FileError('no_space')
}

/** Depth first. */
async function copyAll(from: End, to: End, found: Entry, options: TreeOptions): Promise<void> {
  options.signal?.throwIfAborted()
  options.left.entries -= 1
  if (options.left.entries < 0 || from.path.length > maxDepth) throw new FileError('too_large')
  options.copied?.set(keyOf(from), versionOf(found))
  if (found.kind === 'file') {
    await copyFile(from, to, options)
    return
  }
  await to.tree.mkdir(to.path)
  if (options.shallow) return
  for (const member of await membersOf(from, { whole: options.copied !== undefined })) {
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
  options: AcrossOptions,
  fill: (tree: FileTree, path: TreePath) => Promise<void>,
): Promise<Placed> {
  const name = `.arriving-${newId()}`
  const beside = [...path.slice(0, -1), name]
  const clear = async (): Promise<void> => {
    try {
      if (await tree.stat(beside)) await tree.remove(beside)
    } catch (error) {
      options.onLeft(name, error)
    }
  }
  try {
    await fill(tree, beside)
  } catch (error) {
    await clear()
    throw error
  }
  const before = await tree.stat(path)
  try {
    return await tree.move(beside, path, options)
  } catch (error) {
    if (error instanceof FileError) await clear()
    else if (await isPlaced({ tree, path }, beside, before)) return { created: !before }
    else options.onLeft(name, error)
    throw error
  }
}

/**
 * Whether a move was done that nobody answered for. As long as the source is there it may still be
 * under way, so that to remove it would take away what is just arriving.
 */
async function isPlaced({ tree, path }: End, source: TreePath, before?: Entry): Promise<boolean> {
  try {
    if (await tree.stat(source)) return false
    const after = await tree.stat(path)
    return after !== undefined && after.etag !== before?.etag
  } catch {
    return false
  }
}
