import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AppError, reach } from '../core/index.ts'
import { busyTimeoutMs, type Database } from './open.ts'

interface Migration {
  name: string
  statements: string[]
  hash: string
}

const folder = fileURLToPath(new URL('../../drizzle', import.meta.url))

/** The reviewed SQL files of `drizzle/`, in order. */
function readMigrations(): Migration[] {
  const names = readdirSync(folder).filter((name) => /^\d{4}_.+\.sql$/.test(name))
  return names.sort().map((file) => {
    const sql = readFileSync(`${folder}/${file}`, 'utf8')
    return {
      name: file.replace(/\.sql$/, ''),
      statements: sql.split('--> statement-breakpoint'),
      hash: createHash('sha256').update(sql).digest('hex'),
    }
  })
}

interface AppliedMigration {
  name: string
  hash: string
}

function readApplied(db: Database): AppliedMigration[] {
  const known = db.raw.writer
    .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'")
    .get()
  if (known === undefined) return []
  return db.raw.writer
    .prepare<[], AppliedMigration>('SELECT name, hash FROM migrations ORDER BY name')
    .all()
}

/**
 * The names of migrations this database still needs.
 *
 * @throws AppError `database_newer` when it was written by a later davmesh, `migration_changed`
 * when a landed migration was edited.
 */
export function pendingMigrations(db: Database): string[] {
  const migrations = readMigrations()
  const applied = readApplied(db)
  for (const { name, hash } of applied) {
    const ours = migrations.find((migration) => migration.name === name)
    if (ours === undefined) {
      const message = `The database ${db.path} was written by a newer davmesh (${name}); upgrade davmesh, or restore the backup made before.`
      throw new AppError('unavailable', 'database_newer', message)
    }
    if (ours.hash !== hash) {
      const message = `Migration ${name} differs from the one this database was made with; reinstall davmesh.`
      throw new AppError('unavailable', 'migration_changed', message)
    }
  }
  return migrations.map(({ name }) => name).filter((name) => applied.every((a) => a.name !== name))
}

/** The same, but none for a database that is only being made. */
export const pendingUpgrade = (db: Database): string[] =>
  readApplied(db).length > 0 ? pendingMigrations(db) : []

/** Brings the schema up to date, after a copy of a database in use, one transaction for each migration; returns what was applied. */
export function migrateDatabase(db: Database, now: number): string[] {
  const done: string[] = []
  const pending = pendingMigrations(db)
  if (pending.length > 0 && readApplied(db).length > 0) copyBefore(db, pending[0] ?? '')
  for (const name of pending) {
    if (applyMigration(db, name, now)) done.push(name)
  }
  return done
}

/**
 * For who shares a database with processes of this version: their schema is not changed under them.
 *
 * @throws AppError `migrations_pending`.
 */
export function requireMigrated(db: Database): void {
  const pending = pendingMigrations(db)
  if (pending.length === 0) return
  const message = `A newer davmesh was installed (${pending.join(', ')}): restart the server, all of it.`
  throw new AppError('unavailable', 'migrations_pending', message)
}

/** Keeps the database as it was, beside itself, for the day an upgrade disappoints. */
function copyBefore(db: Database, migration: string): void {
  const copy = `${db.path}.before-${migration}`
  if (existsSync(copy)) return
  // Under the final name it is whole, and at no time can others read it.
  const partial = `${copy}.partial`
  rmSync(partial, { force: true })
  writeFileSync(partial, '', { mode: 0o600 })
  db.raw.writer.prepare('VACUUM INTO ?').run(partial)
  void reach('migration.copied')
  renameSync(partial, copy)
}

/** False when another process was faster. */
function applyMigration(db: Database, name: string, now: number): boolean {
  const { writer } = db.raw
  const migration = readMigrations().find((one) => one.name === name)
  if (migration === undefined) return false
  writer.pragma('busy_timeout = 10000')
  try {
    return writer
      .transaction(() => {
        writer.exec(
          'CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, hash TEXT NOT NULL, applied_at INTEGER NOT NULL)',
        )
        if (readApplied(db).some((applied) => applied.name === name)) return false
        for (const statement of migration.statements) {
          writer.exec(statement)
          void reach('migration.statement')
        }
        writer
          .prepare('INSERT INTO migrations (name, hash, applied_at) VALUES (?, ?, ?)')
          .run(name, migration.hash, now)
        return true
      })
      .immediate()
  } finally {
    writer.pragma(`busy_timeout = ${busyTimeoutMs}`)
  }
}
