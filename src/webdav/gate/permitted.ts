import type { Permission } from '../../auth/index.ts'
import type { Awaitable } from '../../core/index.ts'
import type { FileTree, TreePath } from '../../files/index.ts'
import { forbidden } from '../errors.ts'
import type { DavFields, DavMethod, Place } from '../exchange.ts'

const writing: readonly Permission[] = ['write']

/** What a method needs of a credential, wherever it leads. */
export const neededBy = ({ needs, destination }: DavMethod): readonly Permission[] =>
  destination && !needs.includes('write') ? [...needs, 'write'] : needs

/** A member's coming and going is the business of the directory it is in. */
const parentOf = (path: TreePath): TreePath => path.slice(0, -1)

/**
 * What the principal may do with the resource of the request: what the credential grants, as far as
 * the tree permits it there.
 *
 * @throws DavError 403 when that is not enough for the method.
 */
export const permittedAt = (
  { permissionsAt }: FileTree,
  place: Place,
  method: DavMethod,
  fields: DavFields,
  granted: readonly Permission[],
): Awaitable<readonly Permission[]> =>
  permissionsAt ? judge(permissionsAt, place, method, fields, granted) : granted

async function judge(
  permissionsAt: NonNullable<FileTree['permissionsAt']>,
  place: Place,
  method: DavMethod,
  { destination }: DavFields,
  granted: readonly Permission[],
): Promise<readonly Permission[]> {
  const own = await permissionsAt(place.path)
  const judged = method.departs ? await permissionsAt(parentOf(place.path)) : own
  require(judged, method.needs)
  if (destination) require(await permissionsAt(parentOf(destination)), writing)
  return own ? granted.filter((permission) => own.includes(permission)) : granted
}

function require(
  permitted: readonly Permission[] | undefined,
  needed: readonly Permission[],
): void {
  const missing = permitted && needed.find((permission) => !permitted.includes(permission))
  if (missing === undefined) return
  const message =
    missing === 'write'
      ? 'This is shared for reading only; ask its owner for more.'
      : 'This is not shared for reading; ask its owner for more.'
  throw forbidden(message)
}
