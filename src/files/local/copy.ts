import { mkdir, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { newId, reach } from '../../core/index.ts'
import { FileError } from '../errors.ts'
import type { CopyOptions, Placed } from '../file-tree.ts'
import { reservedName } from '../tree-path.ts'
import { discard, syncDirectory } from './disk.ts'
import { isServed, lookAt } from './entry.ts'
import { whileHeld } from './held.ts'
import { readNames } from './list.ts'
import type { LocalContext } from './context.ts'
import { placeLocally } from './place.ts'
import { openServed } from './read.ts'
import { createFile } from './write.ts'

const bufferBytes = 256 * 1024

/**
 * Builds the copy under a reserved name beside the target, then puts it in place whole. It ends
 * with the signal's reason, and leaves nothing, when that is aborted before.
 */
export async function copyLocally(
  context: LocalContext,
  source: string,
  target: string,
  options: CopyOptions,
): Promise<Placed> {
  const existing = await lookAt(target)
  if (existing && !options.overwrite) throw new FileError('exists')
  const temporary = `${dirname(target)}/${reservedName('copy', newId())}`
  const left = context.live.enter(temporary)
  try {
    if (!(await copyInto(context, source, temporary, options))) {
      throw new FileError('not_found')
    }
    await reach('copy.built')
    options.signal?.throwIfAborted()
    return await placeLocally(context, temporary, target, options)
  } catch (error) {
    await discard(temporary)
    throw error
  } finally {
    left()
  }
}

/** @returns false when there was nothing to copy, or nothing that is served. */
async function copyInto(
  context: LocalContext,
  source: string,
  target: string,
  { shallow = false, signal }: Pick<CopyOptions, 'shallow' | 'signal'>,
): Promise<boolean> {
  signal?.throwIfAborted()
  const stats = await lookAt(source)
  if (!stats || !isServed(stats)) return false
  if (!stats.isDirectory()) {
    await copyFile(context, source, target, signal)
    await reach('copy.copied')
    return true
  }
  await mkdir(target)
  const { guard } = context
  await whileHeld(guard.hold(source), (from) =>
    whileHeld(guard.hold(target), async (to) => {
      const names = shallow ? [] : await readNames(guard, from)
      for (const name of names)
        await copyInto(context, `${from}/${name}`, `${to}/${name}`, { signal })
      if (context.durability === 'full') await syncDirectory(to)
    }),
  )
  return true
}

async function copyFile(
  context: LocalContext,
  source: string,
  target: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { handle, stats } = await openServed(context.guard, source)
  try {
    const copy = await createFile(context, target)
    try {
      await transfer(handle, copy, signal)
      await copy.chmod(stats.mode & 0o777)
      context.stamp(copy.fd)
      if (context.durability === 'full') await copy.datasync()
    } finally {
      await copy.close()
    }
  } finally {
    await handle.close()
  }
}

async function transfer(
  from: FileHandle,
  to: FileHandle,
  signal: AbortSignal | undefined,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(bufferBytes)
  for (;;) {
    signal?.throwIfAborted()
    const { bytesRead } = await from.read(buffer, 0, buffer.length, null)
    if (bytesRead === 0) return
    let written = 0
    while (written < bytesRead) {
      const step = await to.write(buffer, written, bytesRead - written)
      written += step.bytesWritten
    }
  }
}
