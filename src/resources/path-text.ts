/**
 * Paths as the tables hold them: `/` for the root of a tree, `/a/b/` below it. No segment holds a
 * slash, so no two paths share a text, and whatever lies below a path begins with its text.
 */
export const toText = (path: readonly string[]): string =>
  path.length === 0 ? '/' : `/${path.join('/')}/`

export const fromText = (text: string): string[] =>
  text === '/' ? [] : text.slice(1, -1).split('/')

/** The directory that a path is in; '' for the root, which is in none. */
export const parentOf = (text: string): string =>
  text === '/' ? '' : text.slice(0, text.lastIndexOf('/', text.length - 2) + 1)

/** A path and every directory above it. */
export function upwards(text: string): string[] {
  const texts: string[] = []
  for (let at = text; at !== ''; at = parentOf(at)) texts.push(at)
  return texts
}

/** Where in the order of texts the path and everything below it ends: `0` follows `/`. */
export const endOf = (text: string): string => `${text.slice(0, -1)}0`

/** Characters as SQL counts them, which are not UTF-16 units. */
export const lengthOf = (text: string): number => Array.from(text).length
