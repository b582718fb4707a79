import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of its own that is soon full. */
export interface SmallDisk {
  readonly path: string
  /** Takes what is free, but for about `left` bytes. */
  fill(left?: number): void
  /** Gives it back. */
  free(): void
  /** From now on it can only be read. */
  forbidWriting(): void
  unmount(): void
}

export function mountSmallDisk(size = '16m'): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'davmesh-disk-'))
  const { status, stderr, error } = spawnSync(
    'mount',
    ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'none', path],
    { encoding: 'utf8' },
  )
  if (status !== 0) {
    rmSync(path, { recursive: true })
    throw new Error(`nothing can be mounted: ${error?.message ?? stderr.trim()}`)
  }
  const ballast = join(path, 'ballast')
  return {
    path,
    fill(left = 0) {
      const { bavail, bsize } = statfsSync(path)
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - left)))
    },
    free: () => rmSync(ballast, { force: true }),
    forbidWriting: () => void spawnSync('mount', ['-o', 'remount,ro', path]),
    unmount() {
      spawnSync('umount', [path])
      rmSync(path, { recursive: true })
    },
  }
}

/** @returns the reason, where nothing may be mounted. */
export function whyNotMount(): string | undefined {
  try {
    mountSmallDisk('1m').unmount()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
