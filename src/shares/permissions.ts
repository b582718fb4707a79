import { ShareError } from './errors.ts'

export const permissions = ['read', 'write', 'share'] as const
/** OCM, `protocol.webdav.permissions`. */
export type SharePermission = (typeof permissions)[number]

/**
 * `read,write` as an operator types it; `write` and `share` include `read`.
 *
 * @throws ShareError `bad_permissions`.
 */
export function parsePermissions(text: string): SharePermission[] {
  const wanted = new Set(text.split(',').map((word) => word.trim()))
  const unknown = [...wanted].filter((word) => !permissions.some((known) => known === word))
  if (unknown.length > 0) {
    const message = `Unknown permission "${unknown.join('", "')}"; choose from ${permissions.join(', ')}.`
    throw new ShareError('bad_permissions', message)
  }
  return permissions.filter((known) => known === 'read' || wanted.has(known))
}
