import type { XmlElement } from './reader.ts'

/** Prefixes in force, and what the names of tags were found to mean under them. */
interface Scope {
  readonly uris: Readonly<Record<string, string>>
  readonly names: Map<string, Name | undefined>
}

interface Name {
  readonly namespace: string
  readonly name: string
  readonly prefix: string
}

export interface PlainElement {
  readonly element: XmlElement
  /** Where the text behind it begins. */
  readonly end: number
}

// A stricter reader than this one decides what is beyond them.
const maxDepth = 16
const maxElements = 500

const nameForm = /^(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)$/
const declarationForm = /\s+xmlns(?::([A-Za-z_][\w.-]*))?\s*=\s*(?:"([^"<&]*)"|'([^'<&]*)')/y
const blank = /^[ \t\n]*$/

/** Characters that XML has not, and line ends that it has in another form (XML 1.0 §2.2, §2.11). */
// eslint-disable-next-line no-control-regex
const unusual = /[\0-\x08\x0b-\x1f\ufffe\uffff]/

export const isPlainText = (text: string): boolean => !unusual.test(text)

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
}

/**
 * Reads elements of plain XML, as servers write it: no comments, no attributes but declarations of
 * namespaces, no entities but the five. It is several times as fast as a parser, and leaves everything
 * else to one: whatever it does not know for well-formed is `unusual`.
 *
 * @param declared the namespaces around the elements, by prefix.
 */
export function createPlainReader(declared: Readonly<Record<string, string>>) {
  const outer: Scope = { uris: declared, names: new Map() }

  /** The element that begins at `from`, once its end is there as well. */
  return function read(text: string, from: number): PlainElement | 'incomplete' | 'unusual' {
    const open: XmlElement[] = []
    const names: string[] = []
    const scopes: Scope[] = [outer]
    let elements = 0
    for (let at = from; ;) {
      const close = text.indexOf('>', at)
      if (close < 0) return 'incomplete'
      let ended: XmlElement | undefined
      if (text.charCodeAt(at + 1) === slash) {
        ended = open.pop()
        scopes.pop()
        const name = names.pop()
        if (ended === undefined || text.slice(at + 2, close).trimEnd() !== name) return 'unusual'
      } else {
        const isEmpty = text.charCodeAt(close - 1) === slash
        const raw = text.slice(at + 1, isEmpty ? close - 1 : close)
        const scope = scopes[scopes.length - 1] as Scope
        const tag = plainTag(scope, raw) ?? tagWithDeclarations(scope, raw)
        elements += 1
        if (tag === undefined || elements > maxElements || open.length >= maxDepth) return 'unusual'
        const parent = open[open.length - 1]
        parent?.children.push(tag.element)
        parent?.content.push(tag.element)
        if (isEmpty) ended = tag.element
        else {
          open.push(tag.element)
          names.push(tag.name)
          scopes.push(tag.scope)
        }
      }
      if (ended && open.length === 0) return { element: ended, end: close + 1 }
      const next = text.indexOf('<', close + 1)
      if (next < 0) return 'incomplete'
      if (next > close + 1) {
        const said = plainText(text.slice(close + 1, next))
        if (said === undefined) return 'unusual'
        open[open.length - 1]?.content.push(said)
      }
      at = next
    }
  }
}

const slash = 0x2f

interface Tag {
  readonly element: XmlElement
  /** As it is written. */
  readonly name: string
  /** Inside the element. */
  readonly scope: Scope
}

const nothing: Readonly<Record<string, string>> = {}

const elementOf = ({ namespace, name, prefix }: Name, declared = nothing): XmlElement => ({
  namespace,
  name,
  prefix,
  attributes: [],
  declared,
  children: [],
  content: [],
})

function plainTag(scope: Scope, raw: string): Tag | undefined {
  const known = scope.names.get(raw) ?? resolve(scope, raw)
  return known && { element: elementOf(known), name: raw, scope }
}

/** What a name means; there are few different ones, so that most are only looked up. */
function resolve({ uris, names }: Scope, raw: string): Name | undefined {
  const [, prefix = '', name] = nameForm.exec(raw) ?? []
  const namespace = prefix === '' ? (uris[''] ?? '') : uris[prefix]
  if (name === undefined || namespace === undefined || prefix.startsWith('xml')) return undefined
  const found = { namespace, name, prefix }
  if (names.size < 1000) names.set(raw, found)
  return found
}

function tagWithDeclarations({ uris }: Scope, raw: string): Tag | undefined {
  const [name = ''] = /^[^\s]*/.exec(raw) ?? []
  const declared: Record<string, string> = {}
  let at = name.length
  while (at < raw.length && !blank.test(raw.slice(at))) {
    declarationForm.lastIndex = at
    const found = declarationForm.exec(raw)
    const [, prefix = '', double, single] = found ?? []
    const uri = double ?? single
    if (uri === undefined || prefix.startsWith('xml') || /\s/.test(uri)) return undefined
    if (prefix in declared || (uri === '' && prefix !== '') || uri.includes('w3.org/')) {
      return undefined
    }
    declared[prefix] = uri
    at = declarationForm.lastIndex
  }
  const scope: Scope = { uris: { ...uris, ...declared }, names: new Map() }
  const known = resolve(scope, name)
  return known && { element: elementOf(known, declared), name, scope }
}

function plainText(text: string): string | undefined {
  if (text.includes(']]>')) return undefined
  if (!text.includes('&')) return text
  let isKnown = true
  const said = text.replace(/&[^;&]*;?/g, (entity) => {
    const meant = entities[entity]
    if (meant === undefined) isKnown = false
    return meant ?? ''
  })
  return isKnown ? said : undefined
}
