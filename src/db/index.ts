/** db: opens SQLite properly, migrates it, shows the whole schema, owns transactions. */
export { backupDatabase } from './backup.ts'
export { checkWritable } from './check-writable.ts'
export { checkDatabase, checkRows, requireSound, type DatabaseProblem } from './check.ts'
export { deleteSome } from './delete-some.ts'
export { toOpenError } from './failures.ts'
export { migrateDatabase, pendingUpgrade, requireMigrated } from './migrate.ts'
export { openDatabase, type Database, type Reader, type Transaction } from './open.ts'
export { remember } from './remember.ts'
export { resealAll, sealedValues } from './sealed.ts'
export { isServed, takeServeLock, type ServeLock } from './serve-lock.ts'
export { inTransaction } from './transaction.ts'
export {
  accessTokens,
  appPasswords,
  contacts,
  deadProperties,
  incomingShares,
  invites,
  jobLeases,
  legacyKeys,
  locks,
  loginFailures,
  outbox,
  outgoingShares,
  peers,
  refreshTokens,
  reshares,
  resourceChanges,
  signingKeys,
  users,
  type SeenRoot,
} from './schema/index.ts'
