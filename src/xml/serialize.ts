import type { XmlElement, XmlName } from './reader.ts'
import { escapeXml } from './writer.ts'

/** The namespaces in force, by prefix. */
type Scope = Readonly<Record<string, string>>

/** What an element inherits from the elements around it. */
export interface Context {
  readonly scope: Scope
  /** `xml:lang`, as it is written. */
  readonly language: string | undefined
}

export const noContext: Context = { scope: {}, language: undefined }

const isLanguage = ({ prefix, name }: XmlName): boolean => prefix === 'xml' && name === 'lang'

const languageOf = ({ attributes }: XmlElement): string | undefined =>
  attributes.find(isLanguage)?.value

/** What the children of an element inherit. */
export const inside = (context: Context, element: XmlElement): Context =>
  element.attributes.length === 0 && isEmpty(element.declared)
    ? context
    : {
        scope: { ...context.scope, ...element.declared },
        language: languageOf(element) ?? context.language,
      }

function isEmpty(scope: Scope): boolean {
  for (const _ in scope) return false
  return true
}

/**
 * An element as text that means the same anywhere (RFC 4918 §4.3): names with their namespaces and
 * prefixes, attributes, text, and the language it inherits.
 */
export function serializeElement(element: XmlElement, context: Context = noContext): string {
  const { language, scope } = context
  const inherited = languageOf(element) === undefined && language !== undefined
  const lang = inherited ? ` xml:lang="${escapeXml(language)}"` : ''
  return write(element, { '': '' }, lang, mentioned(element, scope))
}

function write(element: XmlElement, scope: Scope, extra: string, wanted: Scope): string {
  // A prefix may be called `__proto__`.
  const missing = Object.create(null) as Record<string, string>
  const declare = (prefix: string, uri: string): void => {
    if (scope[prefix] !== uri) missing[prefix] = uri
  }
  for (const [prefix, uri] of Object.entries({ ...wanted, ...element.declared }))
    declare(prefix, uri)
  declare(element.prefix, element.namespace)
  let attributes = extra
  for (const attribute of element.attributes) {
    const { prefix, name, namespace, value } = attribute
    if (prefix !== '' && prefix !== 'xml') declare(prefix, namespace)
    attributes += ` ${qualified(prefix, name)}="${escapeXml(value)}"`
  }
  for (const [prefix, uri] of Object.entries(missing)) {
    attributes += ` ${prefix === '' ? 'xmlns' : `xmlns:${prefix}`}="${escapeXml(uri)}"`
  }
  const tag = qualified(element.prefix, element.name)
  if (element.content.length === 0) return `<${tag}${attributes}/>`
  const inner = { ...scope, ...missing }
  const content = element.content
    .map((part) => (typeof part === 'string' ? escapeText(part) : write(part, inner, '', {})))
    .join('')
  return `<${tag}${attributes}>${content}</${tag}>`
}

const qualified = (prefix: string, name: string): string =>
  prefix === '' ? name : `${prefix}:${name}`

/** A line feed is itself in text, unlike in an attribute. */
const escapeText = (text: string): string => text.split('\n').map(escapeXml).join('\n')

/** Prefixes that values may use, as in `xsi:type="xs:string"`: those that occur before a colon. */
function mentioned(element: XmlElement, scope: Scope): Scope {
  const entries = Object.entries(scope).filter(
    ([prefix]) => prefix !== '' && mentions(element, `${prefix}:`),
  )
  return Object.fromEntries(entries)
}

const mentions = ({ attributes, content }: XmlElement, text: string): boolean =>
  attributes.some(({ value }) => value.includes(text)) ||
  content.some((part) => (typeof part === 'string' ? part.includes(text) : mentions(part, text)))
