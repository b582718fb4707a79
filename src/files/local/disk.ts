import { constants } from 'node:fs'
import { open, rm } from 'node:fs/promises'

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
  await rm(temporary, { recursive: true, force: true }).catch(() => undefined)
}
