/** xml: guarded reading and careful writing of what WebDAV says in XML. */
export { readChildren, type ChildrenLimits, type XmlChild } from './children.ts'
export { XmlError, type XmlErrorCode } from './errors.ts'
export { isUtf8, parseXml, type XmlElement } from './reader.ts'
export { inside, noContext, serializeElement, type Context } from './serialize.ts'
export { escapeText, escapeXml, xmlDeclaration, xmlType } from './writer.ts'
