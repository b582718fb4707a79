import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { drizzle, type BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import { AppError } from '../core/index.ts'
import * as schema from './schema/index.ts'
import { countCommits, type CommitCounter } from './version.ts'

type Drizzle = BetterSQLite3Database<typeof schema>

/** What reads need. Both a `Database` and a `Transaction` offer it. */
export type Reader = Pick<Drizzle, 'select' | '$count'>

/** What writes need; only `inTransaction` hands one out. */
export type Transaction = Pick<Drizzle, 'select' | '$count' | 'insert' | 'update' | 'delete'>

/** Work that waits for the next commit. */
export interface WaitingWork {
  /** Does the queries; what it returns tells the caller of success. */
  attempt(): Promise<() => void>
  reject(error: unknown): void
}

/** The one writer of a process and the queue before it. */
interface Writing {
  readonly transaction: Transaction
  readonly waiting: WaitingWork[]
  isRunning: boolean
  readonly committed: CommitCounter['committed']
}

/**
 * One database, two connections: reads never wait, writes go one after another.
 * A second connection keeps half-done writes invisible to readers of the same process.
 */
export interface Database extends Reader {
  readonly path: string
  readonly version: CommitCounter['current']
  /** Lets the next look see whatever others have committed by now. */
  readonly forgetVersion: () => void
  /** @internal The connections themselves; nothing outside `db/` touches them. */
  readonly raw: { readonly reader: Sqlite.Database; readonly writer: Sqlite.Database }
  /** @internal */
  readonly writing: Writing
  close(): void
}

/**
 * A connection that waits blocks the whole process, so it waits for less than anybody notices;
 * `inTransaction` goes on waiting without it.
 */
export const busyTimeoutMs = 5

/**
 * Opens (or, with `create`, makes) the SQLite file.
 *
 * @throws AppError `database_missing`, `database_damaged`.
 */
export function openDatabase(path: string, { create = true } = {}): Database {
  if (!create && !existsSync(path)) {
    throw new AppError('unavailable', 'database_missing', `There is no database at ${path}.`)
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    const writer = connect(path, false)
    // SQLite gives its -wal and -shm files the same mode.
    chmodSync(path, 0o600)
    const reader = connect(path, true)
    const reads = drizzle(reader, { schema })
    // Per connection, and of the commits of all others: this one commits nothing itself.
    const dataVersion = reader.prepare<[], number>('PRAGMA data_version').pluck()
    const { current, committed } = countCommits(() => dataVersion.get() ?? 0)
    return {
      path,
      version: current,
      forgetVersion: committed,
      select: reads.select.bind(reads),
      $count: reads.$count.bind(reads),
      raw: { reader, writer },
      writing: {
        transaction: drizzle(writer, { schema }),
        waiting: [],
        isRunning: false,
        committed,
      },
      close() {
        reader.close()
        writer.close()
      },
    }
  } catch (cause) {
    const text = `The database ${path} cannot be opened: ${(cause as Error).message}.`
    throw new AppError('unavailable', 'database_damaged', text, { cause })
  }
}

function connect(path: string, readonly: boolean): Sqlite.Database {
  const connection = new Sqlite(path, { readonly, timeout: busyTimeoutMs })
  if (!readonly) {
    connection.pragma('journal_mode = WAL')
    connection.pragma('synchronous = FULL')
  }
  connection.pragma('foreign_keys = ON')
  return connection
}
