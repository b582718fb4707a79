import { basename, dirname } from 'node:path'
import { mkdir } from 'node:fs/promises'
import { newId, reach } from '../../core/index.ts'
import { FileError, missingParent, toFileError } from '../errors.ts'
import type { FileTree, Placed, PlaceOptions } from '../file-tree.ts'
import { reservedName, type TreePath } from '../tree-path.ts'
import type { LocalContext } from './context.ts'
import { discard } from './disk.ts'
import { lookAt } from './entry.ts'
import { whileHeld } from './held.ts'
import { withParent } from './held-places.ts'
import { placeLocally } from './place.ts'

/**
 * Builds beside the target, in a directory under a reserved name that the repair takes away, then
 * puts the whole in place. Nothing is held meanwhile: it may take hours.
 *
 * @param open a tree over the hidden directory.
 */
export async function receiveLocally(
  context: LocalContext,
  absolute: string,
  options: PlaceOptions,
  open: (root: string) => FileTree,
  fill: (hidden: FileTree, path: TreePath) => Promise<void>,
): Promise<Placed> {
  const { guard, live } = context
  const name = basename(absolute)
  const hidden = reservedName('copy', newId())
  const room = `${dirname(absolute)}/${hidden}`
  await withParent(guard, absolute, async (target) => {
    if (!options.overwrite && (await lookAt(target)) !== undefined) throw new FileError('exists')
    await mkdir(`${dirname(target)}/${hidden}`).catch((error: unknown) => {
      throw toFileError(error, missingParent)
    })
  })
  const left = live.enter(room)
  try {
    await fill(open(room), [name])
    await reach('copy.built')
    return await withParent(guard, absolute, (target) =>
      whileHeld(guard.hold(`${dirname(target)}/${hidden}`), (directory) =>
        placeLocally(context, `${directory}/${name}`, target, options),
      ),
    )
  } finally {
    await withParent(guard, room, discard).catch(() => undefined)
    left()
  }
}
