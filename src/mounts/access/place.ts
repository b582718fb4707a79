import { authorityOf, parseAuthority } from '../../core/index.ts'
import { FileError, isSegment, type TreePath } from '../../files/index.ts'
import type { Peer } from '../../peers/index.ts'
import type { ShareAccess } from '../../shares/index.ts'
import { MountError } from '../errors.ts'

/**
 * The URL of a share's root: the one it was offered with, else its id below the sender's WebDAV root,
 * else that root, which then is the share of whoever presents a secret. Never on another server.
 *
 * @throws MountError `sender_garbled`.
 */
export function rootOf(
  { uri, senderHost, resourceType }: Pick<ShareAccess, 'uri' | 'senderHost' | 'resourceType'>,
  { discovery: { endPoint, resourceTypes } }: Peer,
): URL {
  if (uri !== null && URL.canParse(uri)) return guarded(new URL(uri), senderHost)
  const types = [resourceType, 'file', 'folder']
  const roots = types.map((name) => resourceTypes.find((type) => type.name === name)?.webdav)
  const root = roots.find((path) => path !== undefined)
  if (root === undefined || !URL.canParse(root, endPoint)) throw placeless(senderHost)
  const url = guarded(new URL(root, endPoint), senderHost)
  if (uri === null) return url
  const base = url.pathname.replace(/\/*$/, '/')
  url.pathname = base + uri
  if (!url.pathname.startsWith(base)) throw placeless(senderHost)
  return url
}

function guarded(url: URL, senderHost: string): URL {
  const scheme = url.protocol === 'https:' ? 'https' : 'http'
  const isHttp = /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
  if (isHttp && authorityOf(url) === parseAuthority(senderHost, scheme)) return url
  throw placeless(senderHost)
}

const placeless = (host: string): MountError =>
  new MountError('sender_garbled', `${host} does not say where its files are.`)

/**
 * The URL of something below the root; the root keeps the form its sender gave it.
 *
 * @throws FileError `forbidden_name`.
 */
export function urlBelow(root: URL, path: TreePath, isCollection: boolean): string {
  if (path.length === 0) return root.href
  if (!path.every(isSegment)) throw new FileError('forbidden_name')
  const url = new URL(root)
  const below = path.map(encodeURIComponent).join('/')
  url.pathname = `${root.pathname.replace(/\/*$/, '')}/${below}${isCollection ? '/' : ''}`
  return url.href
}
