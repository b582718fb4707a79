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

/**
 * The name the recipient will see.
 *
 * @throws ShareError `bad_name`.
 */
export function checkName(name: string): string {
  // Control characters: names with control or bidi characters deceive.
  const deceptive = /[\u0000-\u001f\u007f/\\\u202a-\u202e\u2066-\u2069]/
  if (name.trim() !== '' && name !== '.' && name !== '..' && !deceptive.test(name)) {
    if (Buffer.byteLength(name) <= 255) return name
  }
  const message = `"${name}" cannot be a share's name; give another with --name.`
  throw new ShareError('bad_name', message)
}
