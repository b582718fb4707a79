import Table from 'cli-table3'
import { withoutDeception } from '../core/index.ts'

/** Where a command writes; the process's streams, or a test's. */
export interface Streams {
  out(text: string): void
  err(text: string): void
}

/** What a command has to say, in both forms. */
export interface Answer {
  /** The one JSON value of `--json`. */
  readonly json: unknown
  /** A sentence, or a table. */
  readonly text: string
  /** 1 when the command did its work but the outcome is a failure. */
  readonly exitCode?: number
}

const bare = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/** An aligned table without rules; `nothing` is said instead of an empty one. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number | null | undefined)[])[],
  nothing: string,
): string {
  if (rows.length === 0) return nothing
  const plain = { head: [], border: [], 'padding-left': 0, 'padding-right': 0 }
  const aligned = new Table({ chars: bare, style: plain })
  aligned.push(head.map((name) => name.toUpperCase()))
  for (const row of rows) aligned.push(row.map((cell) => withoutDeception(String(cell ?? '-'))))
  const lines = aligned.toString().split('\n')
  return lines.map((line) => line.trimEnd()).join('\n')
}

/** `name  value` lines. */
export const facts = (pairs: readonly (readonly [string, string | null | undefined])[]): string => {
  const width = Math.max(...pairs.map(([name]) => name.length))
  return pairs
    .map(([name, value]) => `${name.padEnd(width)}  ${withoutDeception(value ?? '-')}`)
    .join('\n')
}

/** ISO 8601, or null. */
export const instant = (epochMs: number | null | undefined): string | null =>
  epochMs == null ? null : new Date(epochMs).toISOString()
