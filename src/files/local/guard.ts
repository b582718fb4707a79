import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs'
import { open, realpath, type FileHandle } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { andThen, orElse, type Awaitable } from '../../core/index.ts'
import { FileError, missingParent, toFileError } from '../errors.ts'
import { checkPath, type TreePath } from '../tree-path.ts'
import { isAbsence, lookAt, lookAtNow } from './entry.ts'
import { holdDirectory, holdDirectoryNow, isHeld, openPlaceNow, type Held } from './held.ts'
import { isQuick, type Medium } from './medium.ts'

/** Turns tree paths into paths of this machine, and makes sure that they lead where they say. */
export interface Guard {
  root(): Awaitable<string>
  /** For something that should exist: a bad name is `not_found`. */
  find(path: TreePath): Awaitable<string>
  /** For something to be created: a bad name is refused as such. */
  claim(path: TreePath): Awaitable<string>
  /**
   * Holds a directory that no link led to.
   *
   * @throws FileError `parent_missing`
   */
  hold(absolute: string): Promise<Held>
  /** A member of a directory that is held, by the name that it has now. */
  nameOf(path: string): string
  /** @throws FileError `parent_missing` unless no step above the last one is a symbolic link. */
  verifyParent(absolute: string): Promise<void>
  /** Opens without following a link anywhere, and makes sure afterwards. */
  open(absolute: string, flags: number): Promise<FileHandle>
  /** Whether looking needs no thread pool; known as soon as `root` has been asked for. */
  isQuick(): boolean
  /** What is at a path, the quickest way. */
  look(absolute: string): Awaitable<Stats | undefined>
  /** `open` for where it is quick. */
  openNow(absolute: string, flags: number): number
  /** What is at a path that no link leads to, for where it is quick. */
  lookNow(absolute: string): Stats | undefined
}

export function createGuard(root: string, medium: Medium = 'auto'): Guard {
  let resolved: Awaitable<string> | undefined
  let quick = false

  // The root itself may be reached through links: the operator chose it.
  async function resolveRoot(): Promise<string> {
    try {
      const base = await realpath(root)
      quick = await isQuick(base, medium)
      return (resolved = base)
    } catch (error) {
      resolved = undefined
      throw toFileError(error, missingParent)
    }
  }

  const findRoot = (): Awaitable<string> => (resolved ??= resolveRoot())

  function claim(path: TreePath): Awaitable<string> {
    checkPath(path)
    return andThen(findRoot(), (base) => (path.length === 0 ? base : `${base}/${path.join('/')}`))
  }

  const find = (path: TreePath): Awaitable<string> =>
    orElse(
      () => claim(path),
      (cause) => {
        throw cause instanceof FileError ? new FileError('not_found', { cause }) : cause
      },
    )

  async function openDirectory(absolute: string): Promise<Held> {
    try {
      return quick ? holdDirectoryNow(absolute) : await holdDirectory(absolute)
    } catch (error) {
      throw toFileError(error, { ...missingParent, ELOOP: 'parent_missing' })
    }
  }

  async function hold(absolute: string): Promise<Held> {
    const held = await openDirectory(absolute)
    try {
      if (isHeld(dirname(absolute))) return held
      if (!isHeld(held.path)) await verifyParent(`${absolute}/-`)
      else if (readlinkSync(held.path) !== absolute) throw new FileError('parent_missing')
      return held
    } catch (error) {
      held.release()
      throw error
    }
  }

  function nameOf(path: string): string {
    const parent = dirname(path)
    return isHeld(parent) ? `${readlinkSync(parent)}/${basename(path)}` : path
  }

  async function verifyParent(absolute: string): Promise<void> {
    const parent = dirname(absolute)
    if (isHeld(parent)) return
    const base = await findRoot()
    if (parent === base || absolute === base) return
    const real = await realpath(parent).catch((error: unknown) => {
      throw toFileError(error, missingParent)
    })
    if (real !== parent) throw new FileError('parent_missing')
  }

  async function openVerified(absolute: string, flags: number): Promise<FileHandle> {
    // O_NONBLOCK: opening a FIFO must not wait for its other end.
    const handle = await open(absolute, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    if (isHeld(dirname(absolute))) return handle
    try {
      const directory = directoryOf(handle.fd)
      if (directory === undefined) await verifyParent(absolute)
      else if (directory !== dirname(absolute)) throw new FileError('parent_missing')
      return handle
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  function openNow(absolute: string, flags: number): number {
    const fd = openSync(absolute, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const parent = dirname(absolute)
    if (isHeld(parent) || directoryOf(fd) === parent) return fd
    closeSync(fd)
    throw new FileError('parent_missing')
  }

  function lookNow(absolute: string): Stats | undefined {
    const fd = findPlaceNow(absolute)
    if (fd === undefined) return undefined
    try {
      return directoryOf(fd) === dirname(absolute) ? fstatSync(fd) : undefined
    } finally {
      closeSync(fd)
    }
  }

  return {
    root: findRoot,
    find,
    claim,
    hold,
    nameOf,
    verifyParent,
    open: openVerified,
    isQuick: () => quick,
    look: (absolute) => (quick ? lookAtNow(absolute) : lookAt(absolute)),
    openNow,
    lookNow,
  }
}

function findPlaceNow(absolute: string): number | undefined {
  try {
    return openPlaceNow(absolute)
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}

/** Where an open file really is, as Linux tells it; elsewhere the path has to be checked again. */
function directoryOf(fd: number): string | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return dirname(readlinkSync(`/proc/self/fd/${fd}`))
  } catch {
    return undefined
  }
}
