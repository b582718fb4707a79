import { badRequest } from '../errors.ts'
import type { PropertyStep } from '../resources.ts'
import { type XmlElement, inside, noContext, serializeElement } from '../../xml/index.ts'
import { dav } from './names.ts'
import { davChildren } from './propfind-body.ts'

/** The steps of a `propertyupdate` (RFC 4918 §14.19), in document order. */
export function parseUpdate(root: XmlElement | undefined): PropertyStep[] {
  if (root?.namespace !== dav || root.name !== 'propertyupdate') {
    throw badRequest('The request body is not a PROPPATCH request.')
  }
  const steps: PropertyStep[] = []
  for (const instruction of davChildren(root, ['set', 'remove'])) {
    const outer = inside(inside(noContext, root), instruction)
    for (const prop of davChildren(instruction, ['prop'])) {
      const context = inside(outer, prop)
      for (const property of prop.children) {
        const { namespace, name } = property
        if (instruction.name === 'remove') steps.push({ namespace, name })
        else steps.push({ namespace, name, value: serializeElement(property, context) })
      }
    }
  }
  if (steps.length === 0) throw badRequest('The request body changes nothing.')
  return steps
}
