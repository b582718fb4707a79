const maxBytes = 255

/** File systems of clients may ignore case and compose letters in their own way. */
const folded = (name: string): string => name.normalize('NFC').toLowerCase()

/** Whether two names are one to some client. */
export const isSameMountName = (one: string, other: string): boolean =>
  folded(one) === folded(other)

/** A name of its own in the user's folder of shares: `Trip`, else `Trip (2)`, `beach (2).jpg`. */
export function chooseMountName(
  name: string,
  resourceType: 'file' | 'folder',
  taken: readonly string[],
): string {
  const wanted = name.normalize('NFC')
  const used = new Set(taken.map(folded))
  const [, base = wanted, extension = ''] =
    resourceType === 'file' ? (/^(.+)(\.[^.]{1,16})$/s.exec(wanted) ?? []) : []
  for (let count = 1; ; count++) {
    const suffix = count === 1 ? extension : ` (${count})${extension}`
    const candidate = shortened(base, maxBytes - Buffer.byteLength(suffix)) + suffix
    if (!used.has(folded(candidate))) return candidate
  }
}

function shortened(text: string, bytes: number): string {
  let kept = text
  while (Buffer.byteLength(kept) > bytes) kept = kept.replace(/.$/su, '')
  return kept
}
