import { isDeceptive } from '../core/index.ts'
import { isReservedName, isSegment } from '../files/index.ts'
import { ShareError } from './errors.ts'

/**
 * `/Holiday/2026` as decoded segments.
 *
 * @throws ShareError `bad_path`.
 */
export function parsePath(text: string): string[] {
  const segments = text.split('/').filter((segment) => segment !== '')
  if (segments.some((segment) => segment === '.' || segment === '..' || segment.includes('\0'))) {
    throw new ShareError('bad_path', `"${text}" is no path in the user's files.`)
  }
  return segments
}

/** Whether something shared can be called so: one segment of a path that deceives nobody. */
export const isShareName = (name: string): boolean =>
  name.trim() !== '' && isSegment(name) && !isReservedName(name) && !isDeceptive(name)

/**
 * The name the recipient will see.
 *
 * @throws ShareError `bad_name`.
 */
export function checkName(name: string): string {
  if (isShareName(name)) return name
  const message = `"${name}" cannot be a share's name; give another with --name.`
  throw new ShareError('bad_name', message)
}
