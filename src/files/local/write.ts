import { constants, fstatSync, futimesSync, type BigIntStats } from 'node:fs'
import { rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { newId } from '../../core/index.ts'
import { FileError, missingParent, toFileError } from '../errors.ts'
import type { Expected, WriteOptions, Written } from '../file-tree.ts'
import { reservedName } from '../tree-path.ts'
import { discard, renameToFree, syncDirectory } from './disk.ts'
import { isServed, lookAt, toEntry } from './entry.ts'
import type { LocalContext } from './context.ts'

const batchBytes = 256 * 1024
const batchChunks = 256

/** Writes beside the target, then puts the whole new content in its place with one rename. */
export async function writeLocalFile(
  context: LocalContext,
  target: string,
  name: string,
  body: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<Written> {
  await context.guard.verifyParent(target)
  const existing = checkReplaceable(await lookAt(target))
  const temporary = `${dirname(target)}/${reservedName('put', newId())}`
  try {
    const handle = await createFile(context, temporary)
    let stats: BigIntStats
    try {
      await pour(handle, body, options.maxBytes ?? Infinity)
      if (existing) await handle.chmod(Number(existing.mode) & 0o777)
      stats = context.stamp(handle)
      if (context.durability === 'full') await handle.datasync()
    } finally {
      await handle.close()
    }
    const created = await context.turns.take([target], () =>
      commit(temporary, target, options.expected),
    )
    if (context.durability === 'full') await syncDirectory(dirname(target))
    return { entry: toEntry(name, stats), created }
  } catch (error) {
    await discard(temporary)
    throw toFileError(error, missingParent)
  }
}

export const createFile = (context: LocalContext, absolute: string): Promise<FileHandle> =>
  context.guard.open(absolute, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL)

function checkReplaceable(existing: BigIntStats | undefined): BigIntStats | undefined {
  if (existing?.isDirectory()) throw new FileError('is_a_directory')
  if (existing && !isServed(existing)) throw new FileError('not_served')
  return existing
}

async function commit(temporary: string, target: string, expected?: Expected): Promise<boolean> {
  const existing = checkReplaceable(await lookAt(target))
  if (expected === 'absent') {
    await renameToFree(temporary, target).catch((error: unknown) => {
      throw error instanceof FileError ? new FileError('changed', { cause: error }) : error
    })
    return true
  }
  if (expected && (!existing || toEntry('', existing).etag !== expected.etag)) {
    throw new FileError('changed')
  }
  await rename(temporary, target)
  return existing === undefined
}

async function pour(
  handle: FileHandle,
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<void> {
  let batch: Uint8Array[] = []
  let pending = 0
  let total = 0
  for await (const chunk of body) {
    total += chunk.length
    if (total > maxBytes) throw new FileError('too_large')
    batch.push(chunk)
    pending += chunk.length
    if (pending < batchBytes && batch.length < batchChunks) continue
    await writeAll(handle, batch)
    batch = []
    pending = 0
  }
  await writeAll(handle, batch)
}

/** A disk that runs full accepts a part first, and says ENOSPC only when asked again. */
async function writeAll(handle: FileHandle, batch: readonly Uint8Array[]): Promise<void> {
  let rest = batch.filter((chunk) => chunk.length > 0)
  while (rest.length > 0) {
    let { bytesWritten } = await handle.writev(rest)
    const unwritten: Uint8Array[] = []
    for (const chunk of rest) {
      if (bytesWritten < chunk.length) unwritten.push(chunk.subarray(bytesWritten))
      bytesWritten = Math.max(0, bytesWritten - chunk.length)
    }
    rest = unwritten
  }
}

/**
 * Gives each file we write a modification time of its own. The kernel's clock ticks every few
 * milliseconds and inode numbers are reused at once, so two contents could share an entity tag.
 */
export function createStamp(): (handle: FileHandle) => BigIntStats {
  let count = Math.floor(Math.random() * 1000)
  return (handle) => {
    const { atimeMs, mtimeMs } = fstatSync(handle.fd, { bigint: true })
    count = (count + 1) % 1000
    futimesSync(handle.fd, Number(atimeMs) / 1000, (Number(mtimeMs) * 1000 + count) / 1_000_000)
    return fstatSync(handle.fd, { bigint: true })
  }
}
