import { readdir, rename } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { newId } from '../../core/index.ts'
import { FileError } from '../errors.ts'
import { isSegment, reservedName } from '../tree-path.ts'
import { discard, renameToFree } from './disk.ts'
import { isAbsence, lookAt } from './entry.ts'

/**
 * Where what is in a swap directory belongs.
 *
 * @returns `undefined` when nothing is in there, `null` when nobody can tell.
 */
export async function homeOf(aside: string): Promise<string | undefined | null> {
  try {
    const [name, ...others] = await readdir(aside)
    if (name === undefined || others.length > 0 || !isSegment(name)) return undefined
    return `${dirname(aside)}/${name}`
  } catch (error) {
    return isAbsence(error) ? undefined : null
  }
}

/**
 * Puts what was set aside where it belongs, unless something got there: then it is thrown away, or
 * it would come back when that is removed. Whoever calls has the turn of its home, or is alone.
 *
 * @returns whether it was put back.
 */
export async function putBack(aside: string, home: string): Promise<boolean> {
  const held = `${aside}/${basename(home)}`
  // Whose turn it was before may have done it.
  const isFree = (await lookAt(held)) !== undefined && (await moveToFree(held, home))
  if (isFree) await discard(aside)
  else await throwAway(aside)
  return isFree
}

/** Never over anything, whoever was faster. */
async function moveToFree(source: string, target: string): Promise<boolean> {
  const [moving, existing] = await Promise.all([lookAt(source), lookAt(target)])
  if (existing !== undefined) return false
  if (moving?.isDirectory()) {
    await rename(source, target)
    return true
  }
  try {
    await renameToFree(source, target)
    return true
  } catch (error) {
    if (error instanceof FileError && error.code === 'exists') return false
    throw error
  }
}

/**
 * Removes a swap directory whose replacement is in place. Under this name nothing is ever put back,
 * however long removing takes and whatever of it fails.
 */
export async function throwAway(aside: string): Promise<void> {
  const trash = `${dirname(aside)}/${reservedName('trash', newId())}`
  await discard(
    await rename(aside, trash).then(
      () => trash,
      () => aside,
    ),
  )
}

/**
 * Settles what stood at a path when it was set aside by somebody who then died: it is put back, or
 * thrown away when its replacement is in place. Safe while others write, as long as nobody else has
 * the turn of this very path.
 *
 * @param absolute the key of that turn.
 * @returns whether there was anything to put back.
 */
export async function putBackAt(absolute: string): Promise<boolean> {
  const directory = dirname(absolute)
  const names = await readdir(directory).catch(() => [])
  let isRestored = false
  for (const name of names) {
    if (!name.startsWith('.davmesh-swap-')) continue
    const aside = `${directory}/${name}`
    // Others may be in the middle of their own.
    if ((await homeOf(aside)) !== absolute) continue
    if (await putBack(aside, absolute)) isRestored = true
  }
  return isRestored
}
