import { pino, destination, type DestinationStream, type Logger as PinoLogger } from 'pino'
import pretty from 'pino-pretty'

export type Logger = PinoLogger
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface LogOptions {
  level: LogLevel
  /** Default: text on a terminal, else JSON. */
  format?: 'json' | 'pretty' | undefined
  /** Where lines go; standard error unless a test captures them. */
  stream?: DestinationStream
}

/**
 * JSON lines (or readable ones) on standard error, so that standard output stays the command's own.
 * Callers log names and ids, never headers, query strings, bodies or secrets.
 */
export function createLogger({ level, format, stream }: LogOptions): Logger {
  const readable =
    (format ?? (process.stderr.isTTY && stream === undefined ? 'pretty' : 'json')) === 'pretty'
  const out = readable
    ? pretty({ destination: stream ?? 2, colorize: false, ignore: 'pid,hostname' })
    : (stream ?? destination({ dest: 2, sync: false }))
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, out)
}
