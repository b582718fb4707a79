/** RFC 9110 §8.8.3: the characters between the quotes. */
const tag = /^(W\/)?"[\u0021\u0023-\u007e\u0080-\u00ff]*"/

/** The tags of an If-Match or If-None-Match field, `*`, or as far as the list can be read. */
export function parseEntityTags(field: string): readonly string[] | '*' {
  // RFC 9110 §5.6.1.2: empty members of a list are nothing.
  let rest = field.replace(/^[\s,]+/, '').trimEnd()
  if (rest === '*') return '*'
  const tags: string[] = []
  while (rest !== '') {
    const [found] = tag.exec(rest) ?? []
    if (found === undefined) break
    tags.push(found)
    rest = rest.slice(found.length).replace(/^[\s,]+/, '')
  }
  return tags
}

/** RFC 9110 §8.8.3.2: weak tags are never strongly equal to anything. */
export const strongMatch = (one: string, other: string): boolean =>
  one === other && !one.startsWith('W/')

export const weakMatch = (one: string, other: string): boolean =>
  one.replace(/^W\//, '') === other.replace(/^W\//, '')
