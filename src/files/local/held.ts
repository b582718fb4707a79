import { closeSync, constants, existsSync, open, openSync } from 'node:fs'
import { promisify } from 'node:util'

/** A number costs less than a `FileHandle`, and there is one of these in most operations. */
const openNumber = promisify(open)

/** A directory kept open, so that nobody can put another, or a link to elsewhere, in its place. */
export interface Held {
  /** Leads to this very directory, whatever its name leads to by now. */
  readonly path: string
  release(): void
}

/** Linux lets a path begin at an open directory; elsewhere the names alone have to do. */
export const canHold = process.platform === 'linux' && existsSync('/proc/self/fd')

const heldPath = /^\/proc\/self\/fd\/\d+$/

/** Whether a path begins at a directory that is held. No tree is in there. */
export const isHeld = (directory: string): boolean => canHold && heldPath.test(directory)

/** Linux's O_PATH, for which node has no name: a place, which needs no permission to read it. */
const placeOnly = canHold ? 0o10000000 : 0

const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | placeOnly

/** Opens a directory, but no link to one: safe for a name in a directory that is held itself. */
export const holdDirectory = async (path: string | Buffer): Promise<Held> =>
  toHeld(await openNumber(path, flags), path)

/** The same without leaving the thread: only where looking is quick. */
export const holdDirectoryNow = (path: string): Held => toHeld(openSync(path, flags), path)

/** Opens a place, whatever it is, without opening the file there; a link is a place of its own. */
export const openPlaceNow = (path: string): number =>
  openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | placeOnly)

const toHeld = (fd: number, path: string | Buffer): Held => ({
  path: canHold ? `/proc/self/fd/${fd}` : path.toString(),
  // Nothing was written through it, so closing waits for no disk.
  release: () => closeSync(fd),
})

/** Runs `work` with the path of a directory that is held meanwhile. */
export async function whileHeld<Result>(
  holding: Promise<Held>,
  work: (path: string) => Promise<Result>,
): Promise<Result> {
  const held = await holding
  try {
    return await work(held.path)
  } finally {
    held.release()
  }
}
