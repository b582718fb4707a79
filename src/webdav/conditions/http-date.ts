import { LRUCache } from 'lru-cache'

/** What a `Date` can hold; some file systems hold more. */
const maxSecond = 8.64e12

/** Files that came together share their second, and are asked for together. */
function perSecond(format: (date: Date) => string): (instant: number) => string {
  const known = new LRUCache<number, string>({
    max: 5000,
    memoMethod: (second) => format(new Date(second * 1000)),
  })
  return (instant) =>
    known.memo(Math.max(-maxSecond, Math.min(maxSecond, Math.floor(instant / 1000))))
}

/** RFC 9110 §5.6.7, IMF-fixdate, of epoch milliseconds. */
export const formatHttpDate = perSecond((date) => date.toUTCString())

/** RFC 3339 §5.6 in UTC, of epoch milliseconds. */
export const formatTimestamp = perSecond((date) => date.toISOString().replace('.000', ''))

const shapes = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]+, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
] as const

/** Epoch milliseconds, or `undefined` for what is none of the three forms: such fields are ignored. */
export function parseHttpDate(text: string): number | undefined {
  const trimmed = text.trim()
  if (!shapes.some((shape) => shape.test(trimmed))) return undefined
  const zoned = trimmed.endsWith('GMT') ? trimmed : `${trimmed} GMT`
  const instant = Date.parse(zoned)
  return Number.isNaN(instant) ? undefined : instant
}
