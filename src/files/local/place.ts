import { mkdir, rename, unlink } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { newId, reach } from '../../core/index.ts'
import { errnoOf, FileError, toFileError } from '../errors.ts'
import type { Placed, PlaceOptions } from '../file-tree.ts'
import { reservedName } from '../tree-path.ts'
import { discard, renameToFree, syncDirectory } from './disk.ts'
import { isServed, lookAt } from './entry.ts'
import type { LocalContext } from './context.ts'
import { whileHeld } from './held.ts'
import { putBack, throwAway } from './put-back.ts'

/**
 * Puts `source` where `target` is, by renaming. Files replace files with one rename. Where a
 * directory is involved the old one is first set aside under a reserved name that says where it
 * belongs, so that a crash in between is repaired; nothing is deleted before the new one is there.
 */
export function placeLocally(
  context: LocalContext,
  source: string,
  target: string,
  options: PlaceOptions,
): Promise<Placed> {
  return context.turns.take([source, target], async () => {
    const created = await replace(context, source, target, options.overwrite)
    await reach('place.placed')
    if (context.durability === 'full') await syncBoth(source, target)
    return { created }
  })
}

async function replace(
  context: LocalContext,
  source: string,
  target: string,
  overwrite: boolean,
): Promise<boolean> {
  const [moving, existing] = await Promise.all([lookAt(source), lookAt(target)])
  if (!moving || !isServed(moving)) throw new FileError('not_found')
  if (existing && !isServed(existing)) throw new FileError('not_served')
  if (existing && !overwrite) throw new FileError('exists')
  await reach('place.placing')
  if (existing && (existing.isDirectory() || moving.isDirectory())) {
    await swap(context, source, target)
  } else if (overwrite || moving.isDirectory()) {
    await rename(source, target)
  } else {
    await renameToFree(source, target)
  }
  return existing === undefined
}

async function swap(context: LocalContext, source: string, target: string): Promise<void> {
  const aside = `${dirname(target)}/${reservedName('swap', newId())}`
  await mkdir(aside)
  try {
    await whileHeld(context.guard.hold(aside), async (directory) => {
      const held = `${directory}/${basename(target)}`
      await rename(target, held)
      try {
        await reach('place.set-aside')
        await rename(source, target)
      } catch (error) {
        await rename(held, target)
        throw error
      }
      if (context.durability === 'full') await syncBoth(source, target)
      await reach('place.replaced')
    })
  } catch (error) {
    // What cannot be put back waits for the repair: it may be the only copy.
    await putBack(aside, target).catch(() => undefined)
    throw error
  }
  await throwAway(aside)
}

async function syncBoth(source: string, target: string): Promise<void> {
  const directories = new Set([dirname(source), dirname(target)])
  for (const directory of directories) await syncDirectory(directory)
}

/** Removes a file by unlinking, a directory by hiding it whole first, so that no half is seen. */
export async function removeLocally(context: LocalContext, target: string): Promise<void> {
  await context.turns.take([target], async () => {
    const existing = await lookAt(target)
    if (!existing || !isServed(existing)) throw new FileError('not_found')
    await reach('remove.removing')
    if (!existing.isDirectory()) {
      await unlink(target)
      return
    }
    const trash = `${dirname(target)}/${reservedName('trash', newId())}`
    await rename(target, trash)
    await reach('remove.hidden')
    await discard(trash)
  })
  await reach('remove.removed')
  if (context.durability === 'full') await syncDirectory(dirname(target))
}

/** Whether a rename failed because source and target are on different file systems. */
export const isOtherDevice = (error: unknown): boolean => errnoOf(error) === 'EXDEV'

export async function makeDirectory(context: LocalContext, target: string): Promise<void> {
  try {
    await mkdir(target)
  } catch (error) {
    const existing = errnoOf(error) === 'EEXIST' ? await lookAt(target) : undefined
    if (existing && !isServed(existing)) throw new FileError('not_served')
    throw toFileError(error, { ENOENT: 'parent_missing', ENOTDIR: 'parent_missing' })
  }
  if (context.durability === 'full') await syncDirectory(dirname(target))
}
