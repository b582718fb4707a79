import type { IncomingMessage } from 'node:http'
import { FileError, type FileTree, type Space, type TreePath } from '../files/index.ts'
import { paced, type Pace } from '../http/index.ts'
import { partsOf } from './content/parts.ts'
import { DavError } from './errors.ts'

/** One upload that has been let in. */
export interface Upload {
  /**
   * The body, for reading; giving up on it leaves the connection to answer on.
   *
   * Reading it fails with DavError 408 when it comes too slowly, and with FileError `no_space` when
   * the disk is full but for what is kept free; what more comes than was announced takes no room
   * that others have announced.
   */
  bodyOf(req: IncomingMessage, pace: Pace): AsyncIterable<Uint8Array>
  /** Must be called in the end, whatever came of it. */
  end(): void
}

/**
 * Keeps running uploads from filling the disks together. What is announced is known to this process
 * alone; that less than the kept room is left, each process sees by itself.
 */
export interface Uploads {
  /**
   * @param size what will come, as far as that is known.
   * @throws FileError `no_space`
   */
  begin(tree: FileTree, path: TreePath, size: number): Promise<Upload>
}

/** Asking the disk for room pays only when there is much to write. */
const largeBytes = 1024 * 1024

/** But so much is not written without a look. */
const stepBytes = 16 * 1024 * 1024

/** However small the disk, a twentieth of it is enough to keep. */
const keptPart = 20

const tooSlow = (): DavError => new DavError(408, 'The content took too long to arrive.')

export function createUploads(keepFreeBytes: number): Uploads {
  /** By store, what running uploads have announced and not yet sent. */
  const owed = new Map<string, number>()
  /** What small uploads have brought since somebody looked. */
  let unseen = 0
  let isTight = false

  async function look(tree: FileTree, path: TreePath, size: number): Promise<Space | undefined> {
    unseen += size
    if (size < largeBytes && unseen < stepBytes && !isTight) return undefined
    unseen = 0
    const space = await tree.space(path)
    if (space?.store !== undefined) isTight = roomIn(space) < stepBytes
    return space
  }

  /** What may still come, beside all that others have announced. */
  function roomIn(space: Space): number {
    const { availableBytes, store } = space
    if (store === undefined) return availableBytes
    return beyondKept(space) - (owed.get(store) ?? 0)
  }

  const beyondKept = ({ availableBytes, usedBytes }: Space): number =>
    availableBytes - Math.min(keepFreeBytes, (availableBytes + usedBytes) / keptPart)

  function owe(store: string | undefined, bytes: number): void {
    if (store === undefined) return
    const sum = (owed.get(store) ?? 0) + bytes
    if (sum > 0) owed.set(store, sum)
    else owed.delete(store)
  }

  return {
    async begin(tree, path, expected) {
      const size = Math.max(0, expected)
      const space = await look(tree, path, size)
      if (space && size > roomIn(space)) throw new FileError('no_space')
      const store = space?.store
      let isElsewhere = space !== undefined && store === undefined
      let left = size
      let sinceLook = 0
      let isMore = false
      owe(store, left)

      function take(bytes: number): Promise<void> | undefined {
        const announced = Math.min(bytes, left)
        left -= announced
        if (announced > 0) owe(store, -announced)
        sinceLook += bytes
        if (bytes > announced) isMore = true
        return sinceLook < stepBytes ? undefined : lookAgain()
      }

      async function lookAgain(): Promise<void> {
        sinceLook = 0
        if (isElsewhere) return
        const now = await look(tree, path, stepBytes)
        isElsewhere = now !== undefined && now.store === undefined
        if (now === undefined || isElsewhere) return
        if ((isMore ? roomIn(now) : beyondKept(now)) < 0) throw new FileError('no_space')
      }

      return {
        bodyOf: (req, pace) => paced(partsOf(req), { pace, tooSlow, took: take }),
        end() {
          owe(store, -left)
          left = 0
        },
      }
    },
  }
}
