import { basename, dirname } from 'node:path'
import { FileError } from '../errors.ts'
import { isWithin, type TreePath } from '../tree-path.ts'
import { isServed } from './entry.ts'
import type { Guard } from './guard.ts'
import { whileHeld, type Held } from './held.ts'

/** Names a place by its directory, which is held meanwhile: what leads there can be exchanged. */
export const withParent = <Result>(
  guard: Guard,
  absolute: string,
  work: (path: string) => Promise<Result>,
): Promise<Result> =>
  whileHeld(guard.hold(dirname(absolute)), (parent) => work(`${parent}/${basename(absolute)}`))

/** The same for something that should exist. */
export async function withFound<Result>(
  guard: Guard,
  path: TreePath,
  work: (path: string) => Promise<Result>,
): Promise<Result> {
  const absolute = await guard.find(path)
  if (path.length === 0) return work(absolute)
  const parent = guard.hold(dirname(absolute)).catch((cause: unknown) => {
    throw asAbsent(cause)
  })
  return whileHeld(parent, (held) => work(`${held}/${basename(absolute)}`))
}

/** A directory to list; says so when it is something else. */
export async function holdListed(guard: Guard, path: TreePath): Promise<Held> {
  const absolute = await guard.find(path)
  try {
    return await guard.hold(absolute)
  } catch (error) {
    const stats = await withFound(guard, path, async (place) => guard.look(place))
    const isFile = stats !== undefined && isServed(stats) && stats.isFile()
    throw isFile ? new FileError('not_a_directory') : asAbsent(error)
  }
}

/** The two ends of a copy or move, checked for what needs no look at the disk first. */
export async function withEnds<Result>(
  guard: Guard,
  from: TreePath,
  to: TreePath,
  shallow: boolean,
  work: (source: string, target: string) => Promise<Result>,
): Promise<Result> {
  if (to.length === 0) throw new FileError('is_root')
  // A directory copied without its members does not meet itself below.
  const meets = isWithin(to, from) && !(shallow && to.length > from.length)
  if (isWithin(from, to)) throw new FileError('into_itself')
  return withFound(guard, from, async (source) => {
    const stats = await guard.look(source)
    if (!stats || !isServed(stats)) throw new FileError('not_found')
    if (meets && stats.isDirectory()) throw new FileError('into_itself')
    return withParent(guard, await guard.claim(to), (target) => work(source, target))
  })
}

/** Without its parent it does not exist. */
const asAbsent = (cause: unknown): unknown =>
  cause instanceof FileError && cause.code === 'parent_missing'
    ? new FileError('not_found', { cause })
    : cause
