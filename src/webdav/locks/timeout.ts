const defaultSeconds = 30 * 60
const longestSeconds = 24 * 60 * 60

/** RFC 4918 §10.7: the first wish we understand, within reason; nobody gets a lock for ever. */
export function parseTimeout(field: string | undefined): number {
  for (const wish of (field ?? '').split(',')) {
    if (/^\s*infinite\s*$/i.test(wish)) return longestSeconds
    const [, seconds] = /^\s*second-(\d{1,10})\s*$/i.exec(wish) ?? []
    if (seconds !== undefined) return Math.min(Math.max(Number(seconds), 1), longestSeconds)
  }
  return defaultSeconds
}
