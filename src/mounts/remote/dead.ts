import type { PlacedProperty, TreePath } from '../../files/index.ts'
import { serializeElement } from '../../xml/index.ts'
import type { MemberStatus } from './multistatus.ts'

/** Of these the live ones are computed by us, from what we know of the entry and the share. */
const computed = new Set([
  'DAV:',
  'http://owncloud.org/ns',
  'http://nextcloud.org/ns',
  'http://open-collaboration-services.org/ns',
  'http://open-cloud-mesh.org/ns',
])

/** The dead properties in a response about a directory, or about a member of it. */
export function deadOf(
  directory: TreePath,
  member: string | undefined,
  { properties }: MemberStatus,
  names?: readonly string[],
): PlacedProperty[] {
  const dead = properties.filter(
    ({ status, element }) =>
      status === 200 &&
      !computed.has(element.namespace) &&
      (names === undefined || names.includes(element.name)),
  )
  if (dead.length === 0) return []
  const path = member === undefined ? directory : [...directory, member]
  return dead.map(({ element, context }) => ({
    namespace: element.namespace,
    name: element.name,
    value: serializeElement(element, context),
    path,
  }))
}
