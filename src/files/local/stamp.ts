import { fstatSync, futimesSync, type BigIntStats } from 'node:fs'

/**
 * Gives each file we write a modification time of its own. The kernel's clock ticks every few
 * milliseconds and inode numbers are reused at once, so two contents could share an entity tag.
 */
export function createStamp(): (fd: number) => BigIntStats {
  let count = Math.floor(Math.random() * 1000)
  return (fd) => {
    const { atimeMs, mtimeMs } = fstatSync(fd, { bigint: true })
    count = (count + 1) % 1000
    futimesSync(fd, Number(atimeMs) / 1000, (Number(mtimeMs) * 1000 + count) / 1_000_000)
    return fstatSync(fd, { bigint: true })
  }
}
