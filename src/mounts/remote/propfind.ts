import type { TreePath } from '../../files/index.ts'
import { escapeXml, xmlDeclaration, xmlType } from '../../xml/index.ts'
import type { MountError } from '../errors.ts'
import type { RemoteCall } from '../remote-call.ts'
import { garbled, refusal, type Answer } from './answers.ts'
import { toEntry, type RemoteEntry } from './facts.ts'
import { createPlacer } from './hrefs.ts'
import { readMultistatus, textOf, type MemberStatus, type Bounds } from './multistatus.ts'

/** A property's name; without a namespace it is one of `DAV:`. */
export interface PropertyName {
  readonly namespace: string
  readonly name: string
}

export const davNames = (...names: string[]): PropertyName[] =>
  names.map((name) => ({ namespace: 'DAV:', name }))

/** What an entry is made of. */
export const entryNames = davNames(
  'resourcetype',
  'getcontentlength',
  'getlastmodified',
  'creationdate',
  'getetag',
)

/** RFC 4918 §9.1 */
export async function askProperties(
  call: RemoteCall,
  path: TreePath,
  depth: '0' | '1',
  names: readonly PropertyName[] | 'allprop',
): Promise<Answer> {
  const answer = await call({
    method: 'PROPFIND',
    path,
    isCollection: depth === '1',
    headers: { depth, 'content-type': xmlType, accept: 'application/xml, text/xml' },
    body: bodyFor(names),
  })
  if (answer.status !== 207) throw refusal(answer)
  return answer
}

function bodyFor(names: readonly PropertyName[] | 'allprop'): string {
  const asked =
    names === 'allprop'
      ? '<D:allprop/>'
      : `<D:prop>${names.map((name) => emptyElement(name)).join('')}</D:prop>`
  return `${xmlDeclaration}<D:propfind xmlns:D="DAV:">${asked}</D:propfind>`
}

export const emptyElement = ({ namespace, name }: PropertyName): string =>
  namespace === 'DAV:' ? `<D:${name}/>` : `<${name} xmlns="${escapeXml(namespace)}"/>`

/** A response that is about the resource that was asked, or about a member of it. */
export interface Found {
  /** `undefined`: the resource itself. */
  readonly member: string | undefined
  readonly response: MemberStatus
}

const isDescription = (response: MemberStatus): boolean => response.isDescription

interface FoundOptions {
  /** Which responses count. */
  readonly isWanted?: (response: MemberStatus) => boolean
  /** Told of each response that is ignored. */
  readonly onIgnored?: () => void
}

/** What concerns us of an answer; the rest is ignored (robustness H9). */
export async function* readFound(
  answer: Answer,
  bounds: Bounds,
  { isWanted = isDescription, onIgnored }: FoundOptions = {},
): AsyncGenerator<readonly Found[]> {
  const place = createPlacer(answer.url)
  for await (const batch of readMultistatus(answer, bounds)) {
    const found: Found[] = []
    for (const response of batch) {
      // RFC 4918 §14.24: several hrefs come with a status alone.
      const [href] = response.hrefs
      const at = href !== undefined && isWanted(response) ? place(href) : undefined
      if (at !== undefined) found.push({ member: at === 'self' ? undefined : at.member, response })
      else onIgnored?.()
    }
    if (found.length > 0) yield found
  }
}

/** A response as an entry. */
export function entryOf(name: string, { properties }: MemberStatus): RemoteEntry {
  const texts: Record<string, string> = {}
  let isDirectory = false
  for (const { status, element } of properties) {
    if (status !== 200 || element.namespace !== 'DAV:') continue
    if (element.name === 'resourcetype') {
      isDirectory = element.children.some(
        (type) => type.namespace === 'DAV:' && type.name === 'collection',
      )
    } else texts[element.name] = textOf(element)
  }
  return toEntry(name, {
    isDirectory,
    size: texts['getcontentlength'],
    modified: texts['getlastmodified'],
    created: texts['creationdate'],
    etag: texts['getetag'],
  })
}

/** A Multi-Status without a word of the resource that it answers for. */
export const nothingSaid = (): MountError =>
  garbled(new Error('the answer says nothing of what was asked'))

/** More than one resource has to say, dead properties included. */
const maxSelfBytes = 1024 * 1024

/** The one response about the resource itself. */
export async function findSelf(
  answer: Answer,
  bounds: Bounds,
  isWanted = isDescription,
): Promise<MemberStatus> {
  let self: MemberStatus | undefined
  // To the end, so that the connection can be used again.
  for await (const batch of readFound(
    answer,
    { ...bounds, maxListingBytes: maxSelfBytes },
    { isWanted },
  )) {
    self ??= batch.find(({ member }) => member === undefined)?.response
  }
  if (!self) throw nothingSaid()
  return self
}
