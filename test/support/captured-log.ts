import { createLogger, type Logger } from '../../src/core/index.ts'

export interface CapturedLog {
  readonly log: Logger
  /** Everything logged so far, every level, as written. */
  text(): string
  entries(): Record<string, unknown>[]
  clear(): void
}

export function captureLog(): CapturedLog {
  let lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  return {
    log: createLogger({ level: 'trace', format: 'json', stream }),
    text: () => lines.join(''),
    entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    clear: () => void (lines = []),
  }
}
