import { fstatSync, futimesSync, type Stats } from 'node:fs'

/**
 * Gives each file we write a modification time of its own. The kernel's clock ticks every few
 * milliseconds and inode numbers are reused at once, so two contents could share an entity tag.
 *
 * @param modifiedAt what its writer says, in epoch milliseconds; kept to the second.
 */
export type Stamp = (fd: number, modifiedAt?: number) => Stats

export function createStamp(): Stamp {
  let count = Math.floor(Math.random() * 1000)
  return (fd, modifiedAt) => {
    const { atimeMs, mtimeMs } = fstatSync(fd)
    count = (count + 1) % 1000
    const own = Math.floor(mtimeMs)
    const ms = modifiedAt === undefined ? own : Math.floor(modifiedAt / 1000) * 1000 + (own % 1000)
    futimesSync(fd, atimeMs / 1000, (ms * 1000 + count) / 1_000_000)
    return fstatSync(fd)
  }
}
