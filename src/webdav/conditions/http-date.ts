/** RFC 9110 §5.6.7, IMF-fixdate. */
export const formatHttpDate = (instant: number): string => new Date(instant).toUTCString()

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
