import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { v2 } from 'webdav-server'
import { FileError, type Entry, type Expected, type TreePath } from '../../files/index.ts'
import type { Calls } from './calls.ts'
import { toTreeError } from './errors.ts'

/** A new file; what fails half way stays for the caller to remove. */
export async function createFile(
  calls: Calls,
  path: TreePath,
  body: AsyncIterable<Uint8Array>,
  maxBytes = Infinity,
): Promise<void> {
  await calls.create(path, v2.ResourceType.File)
  await pour(limited(body, maxBytes), await calls.openWrite(path))
}

async function pour(body: AsyncIterable<Uint8Array>, target: Writable): Promise<void> {
  try {
    await pipeline(body, target)
  } catch (error) {
    throw toTreeError(error)
  }
}

async function* limited(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let total = 0
  for await (const chunk of body) {
    total += chunk.length
    if (total > maxBytes) throw new FileError('too_large')
    yield chunk
  }
}

/** Replaces the content of a file, as well as the file system can. */
export async function replaceContent(calls: Calls, from: TreePath, to: TreePath): Promise<void> {
  const content = await calls.openRead(from)
  try {
    await pour(content as AsyncIterable<Uint8Array>, await calls.openWrite(to))
  } finally {
    content.destroy()
  }
}

/** One after another: a directory of any width is copied in the same memory. */
export async function copyAll(
  calls: Calls,
  from: TreePath,
  to: TreePath,
  isServed: (name: string) => boolean,
  shallow: boolean,
): Promise<void> {
  const type = await calls.type(from)
  if (!type?.isDirectory) {
    await calls.create(to, v2.ResourceType.File)
    return replaceContent(calls, from, to)
  }
  await calls.create(to, v2.ResourceType.Directory)
  for (const name of shallow ? [] : await calls.names(from)) {
    if (isServed(name)) await copyAll(calls, [...from, name], [...to, name], isServed, false)
  }
}

/** @throws FileError `changed` */
export function checkExpected(existing: Entry | undefined, expected: Expected | undefined): void {
  if (expected === undefined) return
  const holds = expected === 'absent' ? existing === undefined : existing?.etag === expected.etag
  if (!holds) throw new FileError('changed')
}
