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

/** By each member: a logger and its children, every one of which has a level of its own. */
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
  const join = (member: Logger): void => {
    family.push(member)
    families.set(member, family)
  }
  const log = pino({ level, base: null, timestamp, onChild: join }, out)
  join(log)
  return log
}

/** Changes the level of a logger that `createLogger` made, or a child of it, and of all its family. */
export function setLogLevel(log: Logger, level: LogLevel): void {
  for (const one of families.get(log) ?? [log]) one.level = level
}
