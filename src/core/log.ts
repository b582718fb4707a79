import { pino, destination, type DestinationStream, type Logger as PinoLogger } from 'pino'
import pretty from 'pino-pretty'

export type Logger = PinoLogger
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface LogOptions {
  level: LogLevel
  format: 'json' | 'pretty'
  /** Where lines go; standard error unless a test captures them. */
  stream?: DestinationStream
}

/**
 * JSON lines (or readable ones) on standard error, so that standard output stays the command's own.
 * Callers log names and ids, never headers, query strings, bodies or secrets.
 */
export function createLogger(options: LogOptions): Logger {
  const out = options.stream ?? destination({ dest: 2, sync: false })
  const stream =
    options.format === 'pretty'
      ? pretty({ destination: options.stream ?? 2, colorize: false, ignore: 'pid,hostname' })
      : out
  return pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    stream,
  )
}
