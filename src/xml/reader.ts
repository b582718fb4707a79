import { SaxesParser, type SaxesTagNS } from 'saxes'
import { XmlError } from './errors.ts'

export interface XmlName {
  readonly namespace: string
  readonly name: string
  /** As the client wrote it; '' for none. */
  readonly prefix: string
}

export interface XmlAttribute extends XmlName {
  readonly value: string
}

export interface XmlElement extends XmlName {
  /** Without the declarations of namespaces. */
  readonly attributes: readonly XmlAttribute[]
  /** The namespaces declared here, by prefix. */
  readonly declared: Readonly<Record<string, string>>
  readonly children: XmlElement[]
  /** Children and text in their order. */
  readonly content: (XmlElement | string)[]
}

// The parser's cost grows with the square of nesting and of attributes, so both end early.
const maxDepth = 32
const maxElements = 1000
const maxAttributes = 64

/**
 * A whole document. RFC 4918 §8.2: namespaces and well-formedness are checked, unknown elements are
 * the caller's.
 *
 * @throws XmlError
 */
export function parseXml(bytes: Uint8Array): XmlElement {
  const open: XmlElement[] = []
  let root: XmlElement | undefined
  const parser = new SaxesParser({ xmlns: true, position: false })
  guard(parser, () => open.length)
  parser.on('opentag', (tag) => {
    const element = toElement(tag)
    open.at(-1)?.children.push(element)
    open.at(-1)?.content.push(element)
    root ??= element
    open.push(element)
  })
  parser.on('text', (text) => void open.at(-1)?.content.push(text))
  parser.on('cdata', (text) => void open.at(-1)?.content.push(text))
  parser.on('closetag', () => void open.pop())
  parser.write(decode(bytes)).close()
  if (!root) throw new XmlError('malformed')
  return root
}

/**
 * Ends what no WebDAV message has: errors, document types, other charsets, too much of anything.
 *
 * @returns starts counting elements anew.
 */
export function guard(parser: SaxesParser<{ xmlns: true }>, depth: () => number): () => void {
  let elements = 0
  let attributes = 0
  parser.on('error', () => {
    throw new XmlError('malformed')
  })
  parser.on('doctype', () => {
    throw new XmlError('document_type')
  })
  parser.on('xmldecl', ({ encoding = 'utf-8' }) => {
    if (!isUtf8(encoding)) throw new XmlError('charset')
  })
  parser.on('opentagstart', () => {
    attributes = 0
    elements += 1
    if (elements > maxElements || depth() >= maxDepth) throw new XmlError('excessive')
  })
  parser.on('attribute', () => {
    attributes += 1
    if (attributes > maxAttributes) throw new XmlError('excessive')
  })
  return () => void (elements = 0)
}

const declarations = 'http://www.w3.org/2000/xmlns/'

export const toElement = (tag: SaxesTagNS): XmlElement => ({
  namespace: tag.uri,
  name: tag.local,
  prefix: tag.prefix,
  attributes: Object.values(tag.attributes)
    .filter(({ uri, name }) => uri !== declarations && name !== 'xmlns')
    .map(({ uri, local, prefix, value }) => ({ namespace: uri, name: local, prefix, value })),
  declared: tag.ns,
  children: [],
  content: [],
})

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new XmlError('not_utf8')
  }
}

/** US-ASCII is a part of UTF-8. */
export const isUtf8 = (name: string): boolean =>
  ['utf-8', 'utf8', 'us-ascii'].includes(name.toLowerCase())
