import type { ByteRange } from '../../files/index.ts'

/** More parts than any client needs; a request for more gets the whole. */
const maxRanges = 16

export type Ranges = readonly ByteRange[] | 'whole' | 'unsatisfiable'

/** RFC 9110 §14.1.2, §14.2. Units other than bytes are ignored, as are requests for too much. */
export function parseRange(field: string | undefined, size: number): Ranges {
  const [, list] = /^\s*bytes\s*=(.*)$/i.exec(field ?? '') ?? []
  if (list === undefined) return 'whole'
  const specs = list.split(',').map((spec) => spec.trim())
  if (specs.length > maxRanges) return 'whole'
  const ranges: ByteRange[] = []
  // RFC 9110 §5.6.1.2: empty members of a list are nothing.
  for (const spec of specs.filter((text) => text !== '')) {
    const range = parseSpec(spec, size)
    if (range === 'malformed') return 'unsatisfiable'
    if (range) ranges.push(range)
  }
  if (ranges.length === 0) return 'unsatisfiable'
  // Overlapping ranges could ask for many times the file.
  const total = ranges.reduce((sum, { start, end }) => sum + end - start + 1, 0)
  return total > size ? 'whole' : ranges
}

function parseSpec(spec: string, size: number): ByteRange | undefined | 'malformed' {
  const [, first = '', last = ''] = /^(\d{0,15})-(\d{0,15})$/.exec(spec) ?? []
  if (first === '' && last === '') return 'malformed'
  if (first === '') {
    // A suffix longer than the file is the whole file.
    const length = Math.min(Number(last), size)
    return length === 0 ? undefined : { start: size - length, end: size - 1 }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return 'malformed'
  if (start >= size) return undefined
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}
