import { badRequest } from '../errors.ts'
import { dav } from '../properties/names.ts'
import { davChildren } from '../properties/propfind-body.ts'
import { type XmlElement, inside, noContext, serializeElement } from '../../xml/index.ts'

const maxOwnerBytes = 4096

/** What a `lockinfo` element asks for. */
export interface LockInfo {
  readonly scope: 'exclusive' | 'shared'
  /** The `owner` element as it came, or ''. */
  readonly owner: string
}

/** RFC 4918 §14.11 */
export function parseLockInfo(root: XmlElement): LockInfo {
  if (root.namespace !== dav || root.name !== 'lockinfo') {
    throw badRequest('The request body is not a LOCK request.')
  }
  const scope = onlyWord(root, 'lockscope', ['exclusive', 'shared'])
  onlyWord(root, 'locktype', ['write'])
  const [owner] = davChildren(root, ['owner'])
  const text = owner ? serializeElement(owner, inside(noContext, root)) : ''
  if (Buffer.byteLength(text) > maxOwnerBytes)
    throw badRequest('The owner of the lock is too long.')
  return { scope: scope === 'shared' ? 'shared' : 'exclusive', owner: text }
}

function onlyWord(root: XmlElement, name: string, words: readonly string[]): string {
  const [element, ...others] = davChildren(root, [name])
  const [word, ...more] = element ? davChildren(element, words) : []
  if (!word || others.length + more.length > 0) throw badRequest(`The ${name} is not acceptable.`)
  return word.name
}
