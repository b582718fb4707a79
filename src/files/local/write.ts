import {
  closeSync,
  constants,
  fchmodSync,
  fdatasync,
  ftruncateSync,
  writeSync,
  type Stats,
} from 'node:fs'
import { rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { freeMemory, newId, reach } from '../../core/index.ts'
import { FileError, missingParent, toFileError } from '../errors.ts'
import type { Expected, WriteOptions, Written } from '../file-tree.ts'
import { reservedName } from '../tree-path.ts'
import type { Batch, Batches } from './batches.ts'
import type { LocalContext } from './context.ts'
import { discard, renameToFree, syncDirectory } from './disk.ts'
import { isServed, toEntry } from './entry.ts'

/** Beyond this even a quick disk takes its time. */
const smallBytes = 64 * 1024

/** Writes beside the target, then puts the whole new content in its place with one rename. */
export async function writeLocalFile(
  context: LocalContext,
  target: string,
  name: string,
  body: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<Written> {
  const { durability, turns, readBatches } = context
  const { disposable = false } = options
  await context.guard.verifyParent(target)
  const existing = checkReplaceable(await context.guard.look(target))
  const batches = readBatches(body, options.maxBytes ?? Infinity)
  const temporary = `${dirname(target)}/${reservedName('put', newId())}`
  const left = context.live.enter(temporary)
  const around: Around = {
    begin(fd) {
      if (existing) flushOnClose(fd)
    },
    finish(fd) {
      const stats = context.stamp(fd, options.modifiedAt)
      if (existing && modeOf(existing) !== modeOf(stats)) fchmodSync(fd, modeOf(existing))
      return stats
    },
  }
  try {
    // Nothing is on disk before there is something to write: most bodies are whole by then.
    const first = await batches.next()
    const isSmall = first.isLast && first.length <= smallBytes && isQuick(context)
    const stats = await (isSmall
      ? writeSmall(context, temporary, first, around)
      : writeLarge(context, temporary, { first, batches, disposable }, around))
    const created = await turns.take([target], async () => {
      await reach('put.placing')
      return commit(context, temporary, target, options.expected)
    })
    await reach('put.placed')
    if (durability === 'full') await syncDirectory(dirname(target))
    return { entry: toEntry(name, stats), created }
  } catch (error) {
    await discard(temporary)
    throw toFileError(error, missingParent)
  } finally {
    left()
    await batches.release()
  }
}

/** What a file needs before and after its content. */
interface Around {
  readonly begin: (fd: number) => void
  readonly finish: (fd: number) => Stats
}

interface Content {
  readonly first: Batch
  readonly batches: Batches
  readonly disposable: boolean
}

const isQuick = ({ guard, pace }: LocalContext): boolean => guard.isQuick() && pace.isQuick()

const creation = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL

export const createFile = (context: LocalContext, absolute: string): Promise<FileHandle> =>
  context.guard.open(absolute, creation)

/**
 * ext4 (auto_da_alloc) begins to write a file out when it replaces another, under the lock of the
 * directory; one that was truncated it begins with when it is closed. Many uploads into a directory
 * then wait for each other half as long (180 → 100 µs each, measured).
 */
const flushOnClose = (fd: number): void => ftruncateSync(fd, 0)

/** Without leaving the thread: six trips to the pool cost more than the work they carry. */
async function writeSmall(
  { guard, pace, durability }: LocalContext,
  temporary: string,
  { chunks }: Batch,
  { begin, finish }: Around,
): Promise<Stats> {
  const fd = pace.inPlace(() => guard.openNow(temporary, creation))
  try {
    await reach('put.opened')
    begin(fd)
    for (const chunk of chunks) {
      for (let written = 0; written < chunk.length;) written += writeSync(fd, chunk, written)
    }
    await reach('put.written')
    const stats = finish(fd)
    if (durability === 'full') await promisify(fdatasync)(fd)
    return stats
  } finally {
    pace.inPlace(() => closeSync(fd))
  }
}

async function writeLarge(
  context: LocalContext,
  temporary: string,
  content: Content,
  { begin, finish }: Around,
): Promise<Stats> {
  const handle = await createFile(context, temporary)
  try {
    await reach('put.opened')
    begin(handle.fd)
    await pour(handle, content)
    await reach('put.written')
    const stats = finish(handle.fd)
    if (context.durability === 'full') await handle.datasync()
    return stats
  } finally {
    await handle.close()
  }
}

const modeOf = (stats: Stats): number => stats.mode & 0o777

function checkReplaceable(existing: Stats | undefined): Stats | undefined {
  if (existing?.isDirectory()) throw new FileError('is_a_directory')
  if (existing && !isServed(existing)) throw new FileError('not_served')
  return existing
}

async function commit(
  context: LocalContext,
  temporary: string,
  target: string,
  expected?: Expected,
): Promise<boolean> {
  const existing = checkReplaceable(await context.guard.look(target))
  if (expected === 'absent') {
    await renameToFree(temporary, target).catch((error: unknown) => {
      throw error instanceof FileError ? new FileError('changed', { cause: error }) : error
    })
    return true
  }
  if (expected && (!existing || toEntry('', existing).etag !== expected.etag)) {
    throw new FileError('changed')
  }
  await reach('put.checked')
  await rename(temporary, target)
  return existing === undefined
}

/** While one batch is being written the next one comes in. */
async function pour(handle: FileHandle, { first, batches, disposable }: Content): Promise<void> {
  let writing = Promise.resolve()
  try {
    for (let batch = first; ; batch = await batches.next()) {
      await writing
      writing = writeAll(handle, batch.chunks, disposable)
      // It is awaited later; until then its failure is nobody's surprise.
      writing.catch(() => undefined)
      if (batch.isLast) break
    }
  } finally {
    await writing
  }
}

/** A disk that runs full accepts a part first, and says ENOSPC only when asked again. */
async function writeAll(
  handle: FileHandle,
  batch: readonly Uint8Array[],
  disposable: boolean,
): Promise<void> {
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
  if (disposable) batch.forEach(freeMemory)
}
