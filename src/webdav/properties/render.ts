import { STATUS_CODES } from 'node:http'
import type { DeadProperty } from '../resources.ts'
import { escapeXml, xmlDeclaration } from '../../xml/index.ts'
import { liveProperties, type LiveProperty, type Subject } from './live.ts'
import { keyOf, prefixes, type PropertyName } from './names.ts'
import type { PropertyRequest } from './propfind-body.ts'

/** A request for properties, worked out once and then applied to every resource. */
export interface PropertyPlan {
  readonly namesOnly: boolean
  /** Whether properties that a resource lacks are reported as missing. */
  readonly reportsMissing: boolean
  readonly live: readonly LiveProperty[]
  /** Names that are not live, so perhaps dead. */
  readonly others: readonly PropertyName[]
  /** The same as XML, for the many resources that have no dead properties. */
  readonly unknown: string
}

export const multistatusStart = `${xmlDeclaration}<D:multistatus ${Object.entries(prefixes)
  .map(([namespace, prefix]) => `xmlns:${prefix}="${namespace}"`)
  .join(' ')}>\n`

export const multistatusEnd = '</D:multistatus>\n'

export const multistatusOf = (responses: string): string =>
  multistatusStart + responses + multistatusEnd

export function planProperties(request: PropertyRequest): PropertyPlan {
  if (request.kind === 'propname') {
    const live = [...liveProperties.values()]
    return { namesOnly: true, reportsMissing: false, live, others: [], unknown: '' }
  }
  const isAll = request.kind === 'allprop'
  const asked = unique(isAll ? request.include : request.names)
  const live = isAll ? [...liveProperties.values()].filter((one) => one.isInAllprop) : []
  const others: PropertyName[] = []
  for (const name of asked) {
    const property = liveProperties.get(keyOf(name))
    if (!property) others.push(name)
    else if (!live.includes(property)) live.push(property)
  }
  const unknown = others.map(emptyElement).join('')
  return { namesOnly: false, reportsMissing: !isAll, live, others, unknown }
}

const unique = (names: readonly PropertyName[]): PropertyName[] => [
  ...new Map(names.map((name) => [keyOf(name), name])).values(),
]

/** One `response` (RFC 4918 §14.24): what was found, and what was asked for and is not there. */
export function renderResponse(plan: PropertyPlan, subject: Subject): string {
  let found = ''
  let missing = plan.unknown
  if (subject.dead) ({ found, missing } = renderDead(plan, subject.dead))
  for (const { start, end, empty, value } of plan.live) {
    const content = value(subject)
    if (content === undefined) {
      if (plan.reportsMissing) missing += empty
    } else if (content === '' || plan.namesOnly) found += empty
    else found += start + content + end
  }
  const propstats =
    (found === '' && missing !== '' ? '' : renderPropstat(found, '200 OK')) +
    (missing === '' ? '' : renderPropstat(missing, '404 Not Found'))
  return `<D:response><D:href>${subject.href}</D:href>${propstats}</D:response>\n`
}

/** RFC 4918 §9.1: a resource of which nothing else can be said. */
export const renderStatus = (href: string, status: number, error = ''): string =>
  `<D:response><D:href>${href}</D:href>` +
  `<D:status>HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}</D:status>${error}</D:response>\n`

/** All of them, or those asked for and which of these there are not. */
function renderDead(
  { namesOnly, reportsMissing, others }: PropertyPlan,
  dead: readonly DeadProperty[],
): { found: string; missing: string } {
  const render = (property: DeadProperty): string =>
    namesOnly ? emptyElement(property) : property.value
  const known = new Map(dead.map((property) => [keyOf(property), property]))
  const missing = others.filter((name) => !known.has(keyOf(name)))
  const chosen = reportsMissing ? others.flatMap((name) => known.get(keyOf(name)) ?? []) : dead
  return { found: chosen.map(render).join(''), missing: missing.map(emptyElement).join('') }
}

/** @param extra elements after the status, such as `D:error`. */
export const renderPropstat = (properties: string, status: string, extra = ''): string =>
  `<D:propstat><D:prop>${properties}</D:prop><D:status>HTTP/1.1 ${status}</D:status>` +
  `${extra}</D:propstat>`

/** A property without its value, under a name that a client chose. */
export function emptyElement({ namespace, name }: PropertyName): string {
  const prefix = prefixes[namespace]
  if (prefix !== undefined) return `<${prefix}:${name}/>`
  // Namespaces in XML §3: no other prefix may be bound to it.
  if (namespace === 'http://www.w3.org/XML/1998/namespace') return `<xml:${name}/>`
  return namespace === '' ? `<${name}/>` : `<x:${name} xmlns:x="${escapeXml(namespace)}"/>`
}
