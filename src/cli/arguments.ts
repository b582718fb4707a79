import { InvalidArgumentError } from 'commander'

/** `2026-12-31` (its first instant, UTC) or a full ISO 8601 instant, as epoch milliseconds. */
export function parseInstant(text: string): number {
  const iso = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/
  const epochMs = iso.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isFinite(epochMs)) return epochMs
  throw new InvalidArgumentError('Give a date such as 2026-12-31 or 2026-12-31T18:00:00Z.')
}
