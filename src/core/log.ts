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

/** A logger and its children, each of which has a level of its own. */
const families = new WeakMap<Logger, Logger[]>()

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
  const family: Logger[] = []
  const timestamp = pino.stdTimeFunctions.isoTime
  const onChild = (child: Logger): void => void family.push(child)
  const log = pino({ level, base: null, timestamp, onChild }, out)
  families.set(log, family)
  return log
}

/** Changes the level of a logger that `createLogger` made, and of all its children. */
export function setLogLevel(log: Logger, level: LogLevel): void {
  for (const one of [log, ...(families.get(log) ?? [])]) one.level = level
}
