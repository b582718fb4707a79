import { accessSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './tools.ts'

/** Why nothing can be mounted here, or undefined where it can. */
export function whyNoMounts(): string | undefined {
  try {
    accessSync('/dev/fuse')
  } catch {
    return 'there is no /dev/fuse'
  }
  if (process.getuid?.() !== 0) return 'mounting needs root, and this user is not'
  // The effective capabilities; containers often take CAP_SYS_ADMIN (bit 21) away from root.
  const [, bits = '0'] = /^CapEff:\s+(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  if ((BigInt(`0x${bits}`) & (1n << 21n)) === 0n) return 'root lacks CAP_SYS_ADMIN here'
  return undefined
}

/** Paths in /proc/mounts have spaces and the like as octal escapes. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))

export const isMounted = (folder: string): boolean =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .some((line) => unescape(line.split(' ')[1] ?? '') === folder)

/** Unmounts if it is mounted; what is still to be written is written first. */
export async function unmount(folder: string): Promise<void> {
  if (!isMounted(folder)) return
  const { code, err } = await run('umount', [folder])
  // A busy or dead mount must not outlive the test.
  if (code !== 0) await run('umount', ['--lazy', folder])
  if (isMounted(folder)) throw new Error(`${folder} is still mounted: ${err}`)
}

/** Whether rclone, with its cache in this home, has something that it has not uploaded to the end. */
export function isUploading(home: string): boolean {
  const notes = join(home, '.cache', 'rclone', 'vfsMeta')
  if (!existsSync(notes)) return false
  return readdirSync(notes, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some(({ parentPath, name }) =>
      /"Dirty": *true/.test(readFileSync(join(parentPath, name), 'utf8')),
    )
}

/** Asks until the answer is yes; there is no event for another process's work. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`waited a minute in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
