import { badRequest } from '../errors.ts'
import type { XmlElement } from '../../xml/index.ts'
import { dav, type PropertyName } from './names.ts'

export type PropertyRequest =
  | { readonly kind: 'allprop'; readonly include: readonly PropertyName[] }
  | { readonly kind: 'propname' }
  | { readonly kind: 'prop'; readonly names: readonly PropertyName[] }

const refuse = () => badRequest('The request body is not a PROPFIND request.')

/** RFC 4918 §9.1, §14.20: no body asks for everything. */
export function parsePropfind(root: XmlElement | undefined): PropertyRequest {
  if (!root) return { kind: 'allprop', include: [] }
  if (root.namespace !== dav || root.name !== 'propfind') throw refuse()
  const [asked, ...others] = davChildren(root, ['allprop', 'propname', 'prop'])
  if (!asked || others.length > 0) throw refuse()
  if (asked.name === 'propname') return { kind: 'propname' }
  if (asked.name === 'prop') return { kind: 'prop', names: namesIn(asked) }
  return { kind: 'allprop', include: davChildren(root, ['include']).flatMap(namesIn) }
}

/** Elements we do not know are ignored (RFC 4918 §17). */
export const davChildren = (parent: XmlElement, names: readonly string[]): XmlElement[] =>
  parent.children.filter(({ namespace, name }) => namespace === dav && names.includes(name))

export const namesIn = (parent: XmlElement): PropertyName[] =>
  parent.children.map(({ namespace, name }) => ({ namespace, name }))
