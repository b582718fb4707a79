import { newId } from '../../core/index.ts'
import { reservedName, type Entry, type TreePath } from '../../files/index.ts'
import type { Calls } from './calls.ts'
import { isServedName } from './look.ts'
import { copyAll, replaceContent } from './write.ts'

/** A hidden neighbour of `path`; `purpose` tells a person who finds it what it was. */
export const besides = (path: TreePath, purpose: string): TreePath => [
  ...path.slice(0, -1),
  reservedName(purpose, newId()),
]

/**
 * Puts `from` where `to` is. The old is deleted last, and put back when the new cannot take its
 * place; but unlike a rename this has moments in between.
 */
export async function place(
  calls: Calls,
  from: TreePath,
  to: TreePath,
  kind: Entry['kind'],
  existing: Entry | undefined,
): Promise<void> {
  if (!existing) return relocate(calls, from, to)
  if (kind === 'file' && existing.kind === 'file') {
    if (calls.move) return calls.move(from, to, true)
    await replaceContent(calls, from, to)
    return calls.remove(from)
  }
  const aside = besides(to, 'swap')
  await relocate(calls, to, aside)
  try {
    await relocate(calls, from, to)
  } catch (error) {
    await discard(calls, to)
    await relocate(calls, aside, to)
    throw error
  }
  await discard(calls, aside)
}

/** Moves to a name that is free. */
async function relocate(calls: Calls, from: TreePath, to: TreePath): Promise<void> {
  if (calls.move) return calls.move(from, to, false)
  try {
    await copyAll(calls, from, to, isServedName, false)
  } catch (error) {
    await discard(calls, to)
    throw error
  }
  await calls.remove(from)
}

/** What cannot be removed stays hidden. */
export const discard = (calls: Calls, path: TreePath): Promise<void> =>
  calls.remove(path).catch(() => undefined)
