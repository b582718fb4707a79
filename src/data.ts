import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config/index.ts'
import { AppError, type Clock, type Logger } from './core/index.ts'
import {
  checkDatabase,
  isServed,
  migrateDatabase,
  openDatabase,
  pendingUpgrade,
  requireMigrated,
  toOpenError,
  type Database,
  type DatabaseProblem,
} from './db/index.ts'

const databaseIn = (dataDir: string): string => join(dataDir, 'davmesh.sqlite')

/** Brings the schema up to date and closes again. */
export function migrateData(
  config: Config,
  clock: Clock,
  log: Logger,
): { path: string; applied: string[] } {
  const { db, applied } = openData(config, clock, log)
  db.close()
  return { path: db.path, applied }
}

/** What `db check` says before anything is wired, as nothing can be on an older schema. */
export function findDamage({ dataDir }: Config): DatabaseProblem[] {
  const path = databaseIn(dataDir)
  if (!existsSync(path) || statSync(path).size === 0) return []
  const db = openDatabase(path)
  try {
    return checkDatabase(db)
  } catch (error) {
    throw toOpenError(error, path)
  } finally {
    db.close()
  }
}

/**
 * Never makes an empty database beside the key of a lost one, and changes no schema under a server.
 *
 * @param isOurs the caller holds the data directory.
 * @throws AppError `server_outdated`.
 */
export function openData(
  config: Config,
  clock: Clock,
  log: Logger,
  { isOurs = false } = {},
): { db: Database; applied: string[] } {
  const path = databaseIn(config.dataDir)
  refuseLostDatabase(path, config)
  const db = openDatabase(path)
  try {
    if (!isOurs) refuseUnderServer(db, config)
    const applied = migrateDatabase(db, clock.now())
    if (applied.length > 0) log.info({ applied }, 'database migrated')
    return { db, applied }
  } catch (error) {
    db.close()
    throw toOpenError(error, path)
  }
}

/** Its prepared statements, and those of its workers, are of the schema it was started with. */
function refuseUnderServer(db: Database, { dataDir }: Config): void {
  const [next] = pendingUpgrade(db)
  if (next === undefined || !isServed(dataDir)) return
  const message = `An older davmesh serves ${dataDir}, and this one would change its database (${next}). Restart the server first.`
  throw new AppError('unavailable', 'server_outdated', message)
}

/** The same for a worker: its primary has brought the schema up to date. */
export function openMigrated(config: Config): { db: Database } {
  const path = databaseIn(config.dataDir)
  const db = openDatabase(path, { create: false })
  try {
    requireMigrated(db)
    return { db }
  } catch (error) {
    db.close()
    throw toOpenError(error, path)
  }
}

/** Never makes an empty database beside what belongs to a lost one. */
function refuseLostDatabase(path: string, { dataDir, secretKeyFile }: Config): void {
  // A database that was never lost is not empty once there is a key.
  if (existsSync(path) && (statSync(path).size > 0 || !existsSync(secretKeyFile))) return
  const files = join(dataDir, 'files')
  const [what, at] = existsSync(secretKeyFile)
    ? ['is a key', secretKeyFile]
    : existsSync(`${path}-wal`)
      ? ['is a log', `${path}-wal`]
      : ['are files', files]
  if (at === files && (!existsSync(files) || readdirSync(files).length === 0)) return
  const message = `There ${what} (${at}) but no database (${path}). Restore the database from the backup, or move what is left of it away to begin anew.`
  throw new AppError('unavailable', 'database_missing', message)
}
