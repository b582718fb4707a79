import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import Sqlite from 'better-sqlite3'

const folder = fileURLToPath(new URL('../../../drizzle/', import.meta.url))

/** Every landed migration, by name, in order: a later one is tested without a change in here. */
export const migrations = readdirSync(folder)
  .filter((name) => name.endsWith('.sql'))
  .sort()
  .map((file) => {
    const sql = readFileSync(folder + file, 'utf8')
    const statements = sql.split('--> statement-breakpoint')
    return { name: file.replace(/\.sql$/, ''), sql, statements }
  })

export type Rows = Readonly<Record<string, readonly unknown[]>>

/** Every row of every table. */
export function rowsOf(path: string): Rows {
  const db = new Sqlite(path, { readonly: true })
  try {
    return Object.fromEntries(
      tablesIn(db).map((table) => [table, db.prepare(`SELECT * FROM "${table}" ORDER BY 1`).all()]),
    )
  } finally {
    db.close()
  }
}

/** What SQLite itself says of a file; sound is `['ok', []]`. */
export function soundness(path: string): [unknown, unknown] {
  const db = new Sqlite(path, { readonly: true })
  try {
    return [db.pragma('integrity_check', { simple: true }), db.pragma('foreign_key_check')]
  } finally {
    db.close()
  }
}

/** Everything in the schema, as SQLite remembers it. */
export function schemaOf(path: string): unknown[] {
  const db = new Sqlite(path, { readonly: true })
  try {
    return db.prepare('SELECT type, name, sql FROM sqlite_master ORDER BY type, name').all()
  } finally {
    db.close()
  }
}

const tablesIn = (db: Sqlite.Database, schema = 'main'): string[] =>
  db
    .prepare<[], { name: string }>(
      `SELECT name FROM "${schema}".sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`,
    )
    .all()
    .map(({ name }) => name)

/** Makes of a database what it would be if the first `count` migrations were all there are. */
export function makeOld(path: string, count: number): void {
  const newest = `${path}.newest`
  renameSync(path, newest)
  const db = new Sqlite(path)
  try {
    db.pragma('foreign_keys = OFF')
    db.exec(
      'CREATE TABLE migrations (name TEXT PRIMARY KEY, hash TEXT NOT NULL, applied_at INTEGER NOT NULL)',
    )
    const note = db.prepare('INSERT INTO migrations VALUES (?, ?, 1)')
    for (const { name, sql } of migrations.slice(0, count)) {
      db.exec(sql)
      note.run(name, createHash('sha256').update(sql).digest('hex'))
    }
    db.prepare('ATTACH ? AS newest').run(newest)
    const known = new Set(tablesIn(db, 'newest'))
    for (const table of tablesIn(db).filter((name) => name !== 'migrations' && known.has(name))) {
      const columns = shared(db, table)
      db.exec(`INSERT INTO "${table}" (${columns}) SELECT ${columns} FROM newest."${table}"`)
    }
  } finally {
    db.close()
  }
  rmSync(newest)
}

function shared(db: Sqlite.Database, table: string): string {
  const columns = (schema: string): string[] =>
    (db.pragma(`"${schema}".table_info("${table}")`) as { name: string }[]).map(({ name }) => name)
  const newest = new Set(columns('newest'))
  return columns('main')
    .filter((name) => newest.has(name))
    .map((name) => `"${name}"`)
    .join(', ')
}
