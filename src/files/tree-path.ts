import { FileError } from './errors.ts'

/**
 * Where something is in a tree: decoded segments from its root, `[]` being the root itself. Each is
 * one name, never a separator, an escape or a relative step.
 */
export type TreePath = readonly string[]

/** What our own temporaries are called; no client sees, reads or writes such a name. */
const reservedPrefix = '.davmesh-'

const maxNameBytes = 255

/** Controls, separators of any system, and halves of characters. */
const forbidden = /[\u0000-\u001f\u007f/\\]|\p{Surrogate}/u

/** Most names, for which one look answers everything that is asked below. */
const usual = /^[A-Za-z0-9_-][A-Za-z0-9_. -]{0,84}$/

/** Whether a text can be the name of a file anywhere we run. */
export function isSegment(text: string): boolean {
  if (usual.test(text)) return true
  if (text === '' || text === '.' || text === '..' || forbidden.test(text)) return false
  // A UTF-16 unit is at most three bytes of UTF-8, so short names need no counting.
  return text.length * 3 <= maxNameBytes || Buffer.byteLength(text) <= maxNameBytes
}

const ascii = /^[ -~]*$/

/** What is ignored here is ignored by some file systems: case, and characters without a shape. */
export function isReservedName(segment: string): boolean {
  if (ascii.test(segment)) {
    return segment.startsWith('.') && segment.toLowerCase().startsWith(reservedPrefix)
  }
  const visible = segment.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, '')
  return visible.toLowerCase().startsWith(reservedPrefix)
}

/** The name of a temporary; `purpose` tells the repair what it finds. */
export const reservedName = (purpose: string, id: string): string =>
  `${reservedPrefix}${purpose}-${id}`

/** @throws FileError `forbidden_name` or `reserved_name`. */
export function checkPath(path: TreePath): void {
  for (const segment of path) {
    if (usual.test(segment)) continue
    if (!isSegment(segment)) throw new FileError('forbidden_name')
    if (isReservedName(segment)) throw new FileError('reserved_name')
  }
}

export const samePath = (one: TreePath, other: TreePath): boolean =>
  one.length === other.length && isWithin(one, other)

/** Whether `path` is `ancestor` or below it. */
export const isWithin = (path: TreePath, ancestor: TreePath): boolean =>
  path.length >= ancestor.length && ancestor.every((segment, index) => segment === path[index])
