import { readdir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { putBack } from './repair.ts'

/**
 * Puts back what stood at a path when it was set aside by somebody who then died. Safe while others
 * write, as long as nobody else has the turn of this very path.
 *
 * @param absolute the key of that turn.
 * @returns whether there was anything to put back.
 */
export async function putBackAt(absolute: string): Promise<boolean> {
  const directory = dirname(absolute)
  const names = await readdir(directory).catch(() => [])
  for (const name of names) {
    if (!name.startsWith('.davmesh-swap-')) continue
    const aside = `${directory}/${name}`
    const [held] = await readdir(aside).catch(() => [])
    // Others may be in the middle of their own.
    if (held === basename(absolute) && (await putBack(aside))) return true
  }
  return false
}
