/** RFC 9110 §5.6.2 token, §5.6.4 quoted-string, §8.3.1 media-type. */
const token = /[!#$%&'*+\-.^_`|~0-9a-z]+/.source
const typePattern = new RegExp(`^(${token}/${token})(.*)$`, 's')
const parameterPattern = new RegExp(
  `[ \\t]*;[ \\t]*(?:(${token})=(${token}|"(?:[^"\\\\\\x00-\\x08\\x0a-\\x1f\\x7f]|\\\\[\\t\\x20-\\x7e])*"))?`,
  'y',
)

/** Charsets whose bytes are UTF-8. */
const utf8Names = new Set(['utf-8', 'utf8', 'us-ascii'])

/** Longer is nobody's media type, and bounds the work. */
const maxLength = 256

/**
 * The media type in lower case without its parameters, or `undefined` when there is none we can
 * read: absent, malformed, or with a charset other than UTF-8.
 */
export function mediaType(header: string | undefined): string | undefined {
  if (header === undefined || header.length > maxLength) return undefined
  const [, type, rest] = typePattern.exec(header.trim().toLowerCase()) ?? []
  if (type === undefined || rest === undefined) return undefined
  return hasReadableParameters(rest) ? type : undefined
}

function hasReadableParameters(text: string): boolean {
  let at = 0
  while (at < text.length && text.slice(at).trim() !== '') {
    parameterPattern.lastIndex = at
    const match = parameterPattern.exec(text)
    if (match === null) return false
    if (match[1] === 'charset' && !utf8Names.has(unquote(match[2] ?? ''))) return false
    at = parameterPattern.lastIndex
  }
  return true
}

const unquote = (text: string): string =>
  text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text
