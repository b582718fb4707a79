import { AppError } from '../core/index.ts'
import { pendingMigrations } from './migrate.ts'
import type { Database } from './open.ts'

/** One thing wrong with the database. */
export interface DatabaseProblem {
  readonly kind:
    | 'integrity'
    | 'foreign_key'
    | 'pending_migration'
    | 'orphan_token'
    | 'orphan_share'
    | 'orphan_mount'
    | 'orphan_message'
    | 'interrupted_change'
    | 'keys'
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

interface RowCheck {
  readonly kind: DatabaseProblem['kind']
  /** Names what is wrong, one `detail` a row; `:now` and `:since` are instants. */
  readonly sql: string
}

const rowChecks: readonly RowCheck[] = [
  {
    kind: 'orphan_token',
    sql: `SELECT a.jti || ' lives, and its share does not' AS detail FROM access_tokens a
      JOIN refresh_tokens r ON r.id = a.refresh_token_id
      JOIN outgoing_shares s ON s.id = a.share_id
      WHERE a.revoked_at IS NULL AND a.expires_at > :now
        AND (r.revoked_at IS NOT NULL OR s.revoked_at IS NOT NULL)`,
  },
  {
    kind: 'orphan_share',
    sql: `SELECT s.id || ' has no refresh token' AS detail FROM outgoing_shares s
      WHERE s.revoked_at IS NULL AND NOT EXISTS
        (SELECT 1 FROM refresh_tokens r WHERE r.share_id = s.id AND r.revoked_at IS NULL)`,
  },
  {
    kind: 'orphan_mount',
    sql: `SELECT i.id || ' is ' || i.state || ', and mounted as ' || coalesce(i.mount_name, 'nothing')
        AS detail FROM incoming_shares i
      WHERE (i.state = 'accepted' AND i.mount_name IS NULL)
        OR (i.state IN ('pending', 'declined', 'removed') AND i.mount_name IS NOT NULL)`,
  },
  {
    kind: 'orphan_message',
    sql: `SELECT o.id || ' is about ' || o.subject || ', which is not there' AS detail FROM outbox o
      WHERE (o.kind = 'share' AND o.subject NOT IN (SELECT id FROM outgoing_shares))
        OR (o.kind = 'reshare' AND o.subject NOT IN (SELECT id FROM reshares))`,
  },
  {
    kind: 'interrupted_change',
    sql: `SELECT kind || ' of ' || source || ' was interrupted' AS detail FROM resource_changes
      WHERE created_at <= :since`,
  },
  {
    kind: 'keys',
    sql: `SELECT count(*) || ' keys are active' AS detail FROM signing_keys WHERE state = 'active'
      HAVING count(*) <> 1`,
  },
]

/**
 * What one row says of another that is not so.
 *
 * @param since a change to files that began later may still be under way.
 */
export function checkRows(db: Database, now: number, since: number): DatabaseProblem[] {
  return rowChecks.flatMap(({ kind, sql }) => {
    const rows = db.raw.reader.prepare<[object], { detail: string }>(sql).all({ now, since })
    return rows.map(({ detail }) => ({ kind, detail }))
  })
}
