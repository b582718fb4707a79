import { createHash } from 'node:crypto'
import type { Entry } from '../files/index.ts'
import type { Mount } from '../shares/index.ts'
import type { MountsOfUser } from './mounts-of-user.ts'

/** Many senders say `file` of folders too; a file mostly has an extension. */
const looksLikeFile = ({ resourceType, name }: { resourceType: string; name: string }): boolean =>
  resourceType === 'file' && /[^.]\.[^.\s]{1,16}$/.test(name)

/** What the database knows of a mount, without asking its sender. */
export function mountEntry(mount: Mount): Entry {
  const { id, mountName: name, resourceType, respondedAt, createdAt, seen, permissions } = mount
  const kind = seen?.kind ?? (looksLikeFile({ resourceType, name }) ? 'file' : 'directory')
  return {
    name,
    kind,
    size: kind === 'file' ? (seen?.size ?? 0) : 0,
    modifiedAt: seen?.modifiedAt ?? respondedAt ?? createdAt,
    createdAt,
    etag: seen?.etag ?? `"${id}"`,
    permissions: permissions ?? undefined,
  }
}

const digest = (...texts: readonly string[]): string =>
  createHash('sha256').update(texts.join('\n')).digest('base64url').slice(0, 22)

/**
 * The folder of shares; `local` is a directory of the user's own by that name. Another tag whenever
 * a share comes, goes or is renamed.
 */
export function folderEntry(name: string, mounts: MountsOfUser, local: Entry | undefined): Entry {
  const { list } = mounts
  const names = list.map(({ id, mountName }) => `${id}/${mountName}`)
  const since = list.map(({ respondedAt, createdAt }) => respondedAt ?? createdAt)
  return {
    name,
    kind: 'directory',
    size: 0,
    modifiedAt: Math.max(local?.modifiedAt ?? 0, ...since),
    createdAt: local?.createdAt ?? Math.min(...list.map(({ createdAt }) => createdAt)),
    etag: `"${digest(local?.etag ?? '', ...names)}"`,
  }
}

/** A home with a member that is not on its disk: it comes and goes with the first and last share. */
export const withFolder = (root: Entry): Entry => ({
  ...plain(root),
  etag: root.etag.replace(/"$/, '+shares"'),
})

/** An entry may compute its fields as they are asked for, and a spread copies none of these. */
const plain = ({ name, kind, size, modifiedAt, createdAt, etag }: Entry): Entry => ({
  name,
  kind,
  size,
  modifiedAt,
  createdAt,
  etag,
})
