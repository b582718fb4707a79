import { constants } from 'node:fs'
import { link, open, readdir, rename, rmdir, unlink } from 'node:fs/promises'
import { reach } from '../../core/index.ts'
import { errnoOf, FileError } from '../errors.ts'
import { lookAt } from './entry.ts'
import { holdDirectory, whileHeld } from './held.ts'

export type Durability = 'full' | 'normal'

/** Makes creations, renames and removals in a directory outlive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Removes a temporary. What cannot be removed now stays invisible until the next repair. */
export async function discard(temporary: string): Promise<void> {
  await removeTree(temporary).catch(() => undefined)
}

/** Unlike `rm`, it cannot be led elsewhere by a directory that becomes a link meanwhile. */
async function removeTree(path: string | Buffer): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!['EISDIR', 'EPERM'].includes(errnoOf(error))) throw error
    await whileHeld(holdDirectory(path), async (directory) => {
      // Names as bytes: not every one is text.
      for (const name of await readdir(directory, { encoding: 'buffer' })) {
        await removeTree(Buffer.concat([Buffer.from(`${directory}/`), name]))
      }
    })
    await rmdir(path)
  }
}

/** How file systems without hard links, and kernels that restrict them, say so. */
const noLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

/**
 * Renames a file to a name that must be free. A link, unlike a rename, fails when another process
 * was faster; where there are no links, looking first is the best there is.
 *
 * @throws FileError `exists`
 */
export async function renameToFree(source: string, target: string): Promise<void> {
  try {
    await link(source, target)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'EEXIST') throw new FileError('exists', { cause: error })
    if (!noLinks.includes(errno)) throw error
    if ((await lookAt(target)) !== undefined) throw new FileError('exists')
    await rename(source, target)
    return
  }
  await reach('place.linked')
  await unlink(source)
}
