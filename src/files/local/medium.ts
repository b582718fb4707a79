import { statfs } from 'node:fs/promises'

/** What holds the files: `auto` asks the system what the root is mounted from. */
export type Medium = 'auto' | 'local' | 'network'

/**
 * `f_type` of file systems whose answers come from elsewhere, and may take as long as they like:
 * NFS, SMB (three ages of it), AFS, Coda, 9P, Ceph, FUSE, OCFS2, GFS2, Lustre, GPFS, BeeGFS, VirtualBox.
 */
const remoteTypes: ReadonlySet<number> = new Set([
  0x6969, 0x517b, 0xfe534d42, 0xff534d42, 0x5346414f, 0x73757245, 0x01021997, 0x00c36400,
  0x65735546, 0x7461636f, 0x01161970, 0x0bd00bd0, 0x47504653, 0x19830326, 0x786f4256,
])

/**
 * Whether a look at the disk is so quick that waiting for it in place beats handing it to the
 * thread pool (three to four times, measured), and whether what is kept can be checked as cheaply.
 */
export async function isQuick(root: string, medium: Medium): Promise<boolean> {
  // Elsewhere an open file does not say where it is (/proc), which quick opening relies on.
  if (process.platform !== 'linux') return false
  if (medium !== 'auto') return medium === 'local'
  const { type } = await statfs(root)
  return !remoteTypes.has(type >>> 0)
}
