import { AppError } from '../core/index.ts'
import { pendingMigrations } from './migrate.ts'
import type { Database } from './open.ts'

/** One thing wrong with the database. */
export interface DatabaseProblem {
  readonly kind: 'integrity' | 'foreign_key' | 'pending_migration'
  readonly detail: string
}

interface ForeignKeyRow {
  table: string
  rowid: number | null
  parent: string
}

/** Everything SQLite and the migration list know to be wrong; empty means sound. */
export function checkDatabase(db: Database): DatabaseProblem[] {
  const integrity = db.raw.reader.pragma('integrity_check') as { integrity_check: string }[]
  const orphans = db.raw.reader.pragma('foreign_key_check') as ForeignKeyRow[]
  return [
    ...integrity
      .map((row) => row.integrity_check)
      .filter((text) => text !== 'ok')
      .map((detail) => ({ kind: 'integrity' as const, detail })),
    ...orphans.map(({ table, rowid, parent }) => ({
      kind: 'foreign_key' as const,
      detail: `${table} row ${String(rowid)} points to a missing row of ${parent}`,
    })),
    ...pendingMigrations(db).map((detail) => ({ kind: 'pending_migration' as const, detail })),
  ]
}

/**
 * Looks at every page before anybody relies on them; that every index agrees is left to `db check`.
 *
 * @throws AppError `database_damaged`.
 */
export function requireSound({ raw, path }: Database): void {
  const verdict = String(raw.reader.pragma('quick_check(1)', { simple: true }))
  if (verdict === 'ok') return
  const text = `The database ${path} cannot be opened: ${verdict.split('\n').join('; ')}. Restore it from the backup.`
  throw new AppError('unavailable', 'database_damaged', text)
}
