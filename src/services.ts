import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config/index.ts'
import {
  AppError,
  createEventHub,
  createSealer,
  createSecretKey,
  loadSecretKey,
  systemClock,
  type Clock,
  type EventHub,
  type Logger,
} from './core/index.ts'
import { migrateDatabase, openDatabase, type Database, type SeenRoot } from './db/index.ts'
import { endpointPaths } from './discovery/index.ts'
import { wireFederation, type Federation } from './federation.ts'
import { createLocalState, createLocalTree, type FileTree } from './files/index.ts'
import { createGuardedClient, type GuardedClient } from './http/index.ts'
import { createKeys, hasSigningKeys } from './keys/index.ts'
import { createRequestLimits } from './request-limits.ts'
import { createResources } from './resources/index.ts'
import { createSharePaths, type Mount } from './shares/index.ts'
import { createUsers, type User } from './users/index.ts'

/** What an application or a test puts in place; everything else comes from the configuration. */
export interface Overrides {
  clock?: Clock
  client?: GuardedClient
  /**
   * The tree that a user's home and shares are cut from: one for each user, because locks and
   * properties belong to it, and the same one every time. `undefined`: the user's folder on disk.
   */
  openHome?: (user: User) => FileTree | undefined
  /** What a received share opens, in place of its sender's files; `onSeen` hears of its root. */
  openMount?: (mount: Mount, onSeen: (root: SeenRoot) => void) => FileTree | undefined
}

/** Every room, wired; the command line and the server both work on this. */
export type Services = Awaited<ReturnType<typeof openServices>>

/**
 * Opens the database (making and migrating it as needed), then builds the rooms bottom up.
 *
 * @throws AppError when the data directory cannot be trusted: no key, wrong key, newer schema.
 */
export async function openServices(config: Config, log: Logger, overrides: Overrides = {}) {
  const clock = overrides.clock ?? systemClock
  const events = createEventHub()
  logEvents(events, log)
  const { db } = openData(config, clock, log)
  try {
    return await wire(config, log, clock, events, db, overrides)
  } catch (error) {
    db.close()
    throw error
  }
}

async function wire(
  config: Config,
  log: Logger,
  clock: Clock,
  events: EventHub,
  db: Database,
  overrides: Overrides,
) {
  const { publicUrl, dev, files, limits, outbound } = config
  // A key is made only while nothing depends on one; a lost key is a refusal, never a new key.
  if (!(await hasSigningKeys(db))) createSecretKey(config.secretKeyFile)
  const sealer = createSealer(loadSecretKey(config.secretKeyFile, log))
  const client =
    overrides.client ??
    createGuardedClient({
      timeoutMs: outbound.timeoutMs,
      maxResponseBytes: outbound.maxResponseBytes,
      allowPrivateNetworks: dev || outbound.allowPrivateNetworks,
      allowHttp: dev,
      // Half of what the client has: its stall is over before others wait for this peer as long.
      readerPatienceMs: limits.transfers.stalledSeconds * 500,
      log: log.child({ room: 'http' }),
    })
  const keys = createKeys({
    db,
    clock,
    events,
    sealer,
    keyIdBase: publicUrl + endpointPaths.endPoint,
  })
  await keys.ensureActive()
  const users = createUsers({
    db,
    clock,
    events,
    filesRoot: files.root,
    dataDir: config.dataDir,
    limit: limits.login,
    // Called only after everything below exists.
    endAllOf: (tx, user) => federation.endAllOf(tx, user),
  })
  // One for all trees: who comes through a share sees at once what the owner writes.
  const state = createLocalState()
  const { durability, medium } = files
  const treeOf = (user: User): FileTree =>
    overrides.openHome?.(user) ?? createLocalTree({ root: user.home, durability, medium, state })
  const requestLimits = createRequestLimits(limits, events)
  const federation: Federation = wireFederation({
    config,
    requestLimits,
    clock,
    events,
    db,
    sealer,
    client,
    keys,
    users,
    log,
    treeOf,
    openMount: (mount, onSeen) => overrides.openMount?.(mount, onSeen),
  })
  const resources = createResources({
    db,
    clock,
    followers: [createSharePaths(db)],
    limits: limits.stored,
  })
  return {
    config,
    log,
    clock,
    events,
    db,
    keys,
    users,
    ...federation.rooms,
    resources,
    requestLimits,
    treeOf,
    /** The same with what others share in it. */
    userTreeOf: (user: User): FileTree => federation.rooms.mounts.treeFor(user.id, treeOf(user)),
    async close(): Promise<void> {
      await federation.stop()
      await client.close()
      await federation.rooms.access.close()
      db.close()
    },
  }
}

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

/** Never makes an empty database beside the key of a lost one. */
function openData(config: Config, clock: Clock, log: Logger): { db: Database; applied: string[] } {
  const path = join(config.dataDir, 'davmesh.sqlite')
  if (!existsSync(path) && existsSync(config.secretKeyFile)) {
    const message = `There is a key (${config.secretKeyFile}) but no database (${path}). Restore the database from the backup, or move the key away to begin anew.`
    throw new AppError('unavailable', 'database_missing', message)
  }
  const db = openDatabase(path)
  try {
    const applied = migrateDatabase(db, clock.now())
    if (applied.length > 0) log.info({ applied }, 'database migrated')
    return { db, applied }
  } catch (error) {
    db.close()
    throw error
  }
}

function logEvents(events: EventHub, log: Logger): void {
  events.onAny((event, fact) => log.info({ event, ...fact }, event))
}
