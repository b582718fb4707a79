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
import { migrateDatabase, openDatabase, type Database } from './db/index.ts'
import { endpointPaths } from './discovery/index.ts'
import { createLocalState, createLocalTree, type FileTree } from './files/index.ts'
import { createGuardedClient, type GuardedClient } from './http/index.ts'
import { createInvites } from './invites/index.ts'
import { createKeys, hasSigningKeys } from './keys/index.ts'
import { createAccess, type Access } from './mounts/index.ts'
import { createNotifications, type Notifications } from './notifications/index.ts'
import { createOutbox } from './outbox/index.ts'
import { createFederationPolicy, createPeers, createSenderCheck, isListed } from './peers/index.ts'
import { createResources } from './resources/index.ts'
import {
  createAccessStore,
  createGrants,
  createIncomingShares,
  tellSoon,
  type IncomingShares,
  createOutgoingAnswers,
  createReshares,
  createSharePaths,
  createShares,
  type Reshares,
  type Shares,
} from './shares/index.ts'
import { createTokens } from './tokens/index.ts'
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
  const { publicUrl, authority, dev, files, tokens: tokenConfig, limits, outbound } = config
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
    async endAllOf(tx, user) {
      const ended = [...(await shares.endAllOf(tx, user)), ...(await incoming.endAllOf(tx, user))]
      return () => tellSoon(outbox, ended)
    },
  })
  const federation = createFederationPolicy(config.federation)
  const peers = createPeers({
    db,
    clock,
    events,
    client,
    policy: federation.current,
    allowHttp: dev,
    signer: keys.messageSigner,
    legacySigner: config.signatures.legacy ? keys.legacySigner : undefined,
  })
  const sender = createSenderCheck({
    clock,
    events,
    peers,
    policy: () => ({
      ...config.signatures,
      requireSignatures: federation.current().requireSignatures,
      allowHttp: dev,
    }),
  })
  const { invites, contacts } = createInvites({
    db,
    clock,
    events,
    peers,
    sender,
    users,
    authority,
  })
  // One for all trees: who comes through a share sees at once what the owner writes.
  const state = createLocalState()
  const { durability, medium } = files
  const treeOf = (user: User): FileTree =>
    overrides.openHome?.(user) ?? createLocalTree({ root: user.home, durability, medium, state })
  const outbox = createOutbox({
    db,
    clock,
    events,
    sealer,
    // Called only after everything below exists.
    handlers: {
      share: (message, attempt) => shares.deliver(message, attempt),
      notification: (message, attempt) => notifications.deliver(message, attempt),
      reshare: (message, attempt) => reshares.deliver(message, attempt),
    },
  })
  const shares: Shares = createShares({
    db,
    clock,
    events,
    sealer,
    peers,
    outbox,
    isContact: contacts.isContact,
    findUser: users.getUser,
    authority,
    policy: federation.current,
    shareUrl: (id) => `${publicUrl}${endpointPaths.webdav}${id}`,
    async statPath(user, path) {
      const entry = await treeOf(user).stat(path)
      return entry && (entry.kind === 'directory' ? 'folder' : 'file')
    },
  })
  const incoming: IncomingShares = createIncomingShares({
    db,
    clock,
    events,
    sealer,
    sender,
    outbox,
    policy: federation.current,
    isAutoAccepted: (host) => isListed(host, federation.current().autoAccept),
    isContact: contacts.isContact,
    findRecipient: users.findEnabledUser,
    // Called only after everything below exists.
    tryAccess: (id) => access.retry(id),
    authority,
    allowHttp: dev,
  })
  const access: Access = createAccess({
    clock,
    events,
    client,
    peers,
    store: createAccessStore({ db, sealer }),
    authority,
    timeoutMs: outbound.timeoutMs,
  })
  const reshares: Reshares = createReshares({
    db,
    clock,
    events,
    sealer,
    peers,
    outbox,
    findUser: users.getUser,
    authority,
    sharedFolder: files.sharedFolder,
  })
  const resources = createResources({ db, clock, followers: [createSharePaths(db)] })
  const tokens = createTokens({
    db,
    clock,
    events,
    keys,
    shares,
    peers,
    sender,
    issuer: publicUrl,
    ttlSeconds: tokenConfig.ttlSeconds,
    limit: limits.token,
  })
  const notifications: Notifications = createNotifications({
    db,
    clock,
    events,
    sender,
    peers,
    incoming,
    answers: createOutgoingAnswers({ db, clock, events, sealer, outbox }),
    grants: createGrants({
      db,
      clock,
      events,
      sealer,
      outbox,
      policy: federation.current,
      isDenied: peers.isDenied,
      authority,
    }),
    reshares,
    async shareOfToken(token) {
      const verdict = await tokens.verify(token)
      return verdict.status === 'valid' ? verdict.token.shareId : undefined
    },
  })
  return {
    config,
    log,
    clock,
    events,
    db,
    keys,
    users,
    federation,
    peers,
    sender,
    invites,
    contacts,
    outbox,
    shares,
    incoming,
    access,
    reshares,
    notifications,
    resources,
    tokens,
    treeOf,
    async close(): Promise<void> {
      await outbox.stop()
      await client.close()
      await access.close()
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
