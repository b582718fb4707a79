import {
  FileError,
  isSegment,
  isReservedName,
  type Entry,
  type ListOptions,
  type TreePath,
} from '../../files/index.ts'
import type { Calls } from './calls.ts'
import type { EntityTags } from './entity-tags.ts'

/** What the operations of one tree have in common. */
export interface Source {
  readonly calls: Calls
  readonly tags: EntityTags
}

/** What is at a path, or `undefined`; a bad name finds nothing. */
export async function look({ calls, tags }: Source, path: TreePath): Promise<Entry | undefined> {
  if (!path.every(isServedName)) return undefined
  try {
    const type = await calls.type(path)
    if (!type || type.isFile === type.isDirectory) return undefined
    const kind = type.isFile ? 'file' : 'directory'
    const [size, modifiedAt = 0, createdAt = 0, etag = ''] = await Promise.all([
      kind === 'file' ? sizeOf(calls, path) : 0,
      calls.modifiedAt(path),
      calls.createdAt(path),
      calls.etag(path),
    ])
    return {
      name: path.at(-1) ?? '',
      kind,
      size,
      modifiedAt,
      createdAt,
      etag: tags.of(path, { etag, size, modifiedAt }, kind),
    }
  } catch (error) {
    if (error instanceof FileError && error.code === 'not_found') return undefined
    throw error
  }
}

export const isServedName = (segment: string): boolean =>
  isSegment(segment) && !isReservedName(segment)

/** A file system need not know sizes; then there is no way but to read. */
async function sizeOf(calls: Calls, path: TreePath): Promise<number> {
  const size = await calls.size(path)
  if (size !== undefined && Number.isSafeInteger(size) && size >= 0) return size
  let total = 0
  for await (const chunk of (await calls.openRead(path)) as AsyncIterable<Uint8Array>) {
    total += chunk.length
  }
  return total
}

const batchSize = 64

/** The members of a directory, looked at a batch at a time. */
export async function* listMembers(
  source: Source,
  path: TreePath,
  { whole = false }: ListOptions = {},
): AsyncGenerator<readonly Entry[]> {
  const entry = await look(source, path)
  if (!entry) throw new FileError('not_found')
  if (entry.kind !== 'directory') throw new FileError('not_a_directory')
  const names = await source.calls.names(path)
  for (let start = 0; start < names.length; start += batchSize) {
    const found = await Promise.all(
      names.slice(start, start + batchSize).map((name) => look(source, [...path, name])),
    )
    const entries = found.filter((member) => member !== undefined)
    if (whole && entries.length < found.length) throw new FileError('left_out')
    if (entries.length > 0) yield entries
  }
}

/** @throws FileError `parent_missing` unless a directory is there to hold `path`. */
export async function requireParent(source: Source, path: TreePath): Promise<void> {
  const parent = await look(source, path.slice(0, -1))
  if (parent?.kind !== 'directory') throw new FileError('parent_missing')
}
