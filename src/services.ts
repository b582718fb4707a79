import { checkData } from './check.ts'
import { createChores } from './chores.ts'
import type { Config } from './config/index.ts'
import {
  createEventHub,
  createSealer,
  createSecretKey,
  eventLevel,
  loadSecretKey,
  newId,
  removePartialKeys,
  requireSameSecretKey,
  systemClock,
  type Clock,
  type EventHub,
  type Logger,
} from './core/index.ts'
import { openData, openMigrated } from './data.ts'
import { checkWritable, toOpenError, type Database, type SeenRoot } from './db/index.ts'
import { endpointPaths } from './discovery/index.ts'
import { wireFederation, type Federation } from './federation.ts'
import { createLocalState, createLocalTree, type FileTree } from './files/index.ts'
import { createHealth } from './health.ts'
import { createGuardedClient, type GuardedClient } from './http/index.ts'
import { createJobs } from './jobs/index.ts'
import { createKeys, hasSigningKeys } from './keys/index.ts'
import { createMetrics } from './metrics/index.ts'
import { goOnRotating } from './reseal.ts'
import { createRequestLimits } from './request-limits.ts'
import { createResources } from './resources/index.ts'
import { createSharePaths, type Mount } from './shares/index.ts'
import { createUsers, type User } from './users/index.ts'
import { countWorkers, type Colleagues } from './workers/index.ts'

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
  /** The other processes over the same data directory; absent where there are none. */
  colleagues?: Colleagues
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
  const { db } = overrides.colleagues ? openMigrated(config) : openData(config, clock, log)
  try {
    return await wire(config, log, clock, events, db, overrides)
  } catch (error) {
    db.close()
    throw toOpenError(error, db.path)
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
  const secretKeys = loadSecretKey(config.secretKeyFile, log)
  const sealer = createSealer(secretKeys.current, secretKeys.former)
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
    tokenTtlSeconds: config.tokens.ttlSeconds,
  })
  await keys.ensureActive()
  await keys.ensureOpen(config.secretKeyFile)
  await goOnRotating(db, config.secretKeyFile, secretKeys, log)
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
  const { colleagues } = overrides
  const state = createLocalState(colleagues)
  const { durability, medium } = files
  const treeOf = (user: User): FileTree =>
    overrides.openHome?.(user) ?? createLocalTree({ root: user.home, durability, medium, state })
  const processes = colleagues ? countWorkers(config.workers) : 1
  const requestLimits = createRequestLimits(limits, events, processes)
  const federation: Federation = wireFederation({
    config,
    requestLimits,
    processes,
    clock,
    events,
    db,
    sealer,
    client,
    keys,
    users,
    log,
    treeOf,
    generation: colleagues?.generation,
    openMount: (mount, onSeen) => overrides.openMount?.(mount, onSeen),
  })
  const runId = newId()
  const resources = createResources({
    db,
    clock,
    runId,
    settledElsewhere: colleagues?.settled,
    followers: [createSharePaths(db)],
    limits: limits.stored,
  })
  colleagues?.onSettle((place) => {
    // Whoever asks has committed a lock: what begins from now on sees it.
    db.forgetVersion()
    return resources.settledHere(place)
  })
  const { shares, mounts } = federation.rooms
  /** A user's files, with what others share in them. */
  const userTreeOf = (user: User): FileTree => mounts.treeFor(user.id, treeOf(user))
  const { turns, live } = state
  const chores = createChores({
    clock,
    keys,
    users,
    ...federation.rooms,
    resources,
    turns,
    live,
  })
  const jobs = createJobs({ db, clock, log: log.child({ room: 'jobs' }), chores })
  return {
    /** Names this process in what it notes in the database. */
    runId,
    config,
    log,
    clock,
    events,
    metrics: createMetrics({ db, clock, events }),
    health: createHealth({
      touchDatabase: () => checkWritable(db),
      folders: [config.dataDir, files.root],
    }),
    db,
    keys,
    users,
    ...federation.rooms,
    resources,
    jobs,
    /** For who holds the data directory now, and did not when the key was read. */
    confirmSecretKey(): void {
      requireSameSecretKey(config.secretKeyFile, secretKeys)
      removePartialKeys(config.secretKeyFile)
    },
    check: () => checkData({ config, clock, db, sealer, users, shares, resources, userTreeOf }),
    requestLimits,
    /** How many share the listener, and its bounds. */
    processes,
    treeOf,
    userTreeOf,
    /** Ends what is asked of peers: whatever waits for them fails, and nothing more is asked. */
    cutOff: (): Promise<void> => client.close(),
    async close(): Promise<void> {
      await jobs.stop()
      await federation.stop()
      await client.close()
      await federation.rooms.access.close()
      db.close()
    },
  }
}

function logEvents(events: EventHub, log: Logger): void {
  events.onAny((event, fact) => log[eventLevel(event)]({ event, ...fact }, event))
}
