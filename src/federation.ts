import type { Config } from './config/index.ts'
import type { Clock, EventHub, Logger, Sealer } from './core/index.ts'
import type { Database, SeenRoot, Transaction } from './db/index.ts'
import { endpointPaths } from './discovery/index.ts'
import type { FileTree, Generation, TreePath } from './files/index.ts'
import type { GuardedClient } from './http/index.ts'
import { createInvites } from './invites/index.ts'
import type { Keys } from './keys/index.ts'
import {
  createAccess,
  createMounts,
  createRemoteTree,
  createViewStore,
  type Access,
  type Mounts,
} from './mounts/index.ts'
import { createNotifications, type Notifications } from './notifications/index.ts'
import { createOutbox } from './outbox/index.ts'
import {
  createFederationPolicy,
  createPeers,
  createSenderCheck,
  isListed,
  limitSender,
} from './peers/index.ts'
import { partOf, uploadPace, type RequestLimits } from './request-limits.ts'
import {
  createAccessStore,
  createGrants,
  createIncomingShares,
  createOutgoingAnswers,
  createReshares,
  createShares,
  tellSoon,
  type IncomingShares,
  type Mount,
  type Reshares,
  type Shares,
} from './shares/index.ts'
import { createTokens } from './tokens/index.ts'
import type { User, Users } from './users/index.ts'

/** What the rooms of the federation stand on. */
export interface Ground {
  readonly config: Config
  readonly requestLimits: RequestLimits
  /** How many share what a share may ask for. */
  readonly processes: number
  readonly clock: Clock
  readonly events: EventHub
  readonly db: Database
  /** Tells of what other processes change; absent where there are none. */
  readonly generation?: Generation | undefined
  readonly sealer: Sealer
  readonly client: GuardedClient
  readonly keys: Keys
  readonly users: Users
  readonly log: Logger
  /** A user's own files. */
  treeOf(user: User): FileTree
  /** In place of what a sender serves. */
  openMount(mount: Mount, onSeen: (root: SeenRoot) => void): FileTree | undefined
}

export type Federation = ReturnType<typeof wireFederation>

async function listNames(tree: FileTree, path: TreePath): Promise<string[]> {
  const names: string[] = []
  for await (const batch of tree.list(path)) names.push(...batch.map(({ name }) => name))
  return names
}

/** Builds every room that has to do with other servers. */
export function wireFederation(ground: Ground) {
  const { config, log, clock, events, db, sealer, client, keys, users, treeOf } = ground
  const { processes } = ground
  const { publicUrl, authority, dev, files, tokens: tokenConfig, limits, outbound } = config
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
  const { stored } = limits
  const { messagesByPeer, tokenFailuresByPeer } = ground.requestLimits
  const limitedSender = limitSender(sender, messagesByPeer)
  const { invites, contacts } = createInvites({
    db,
    clock,
    events,
    peers,
    sender: limitedSender,
    users,
    authority,
    maxOpen: stored.invitesPerUser,
  })
  const outbox = createOutbox({
    db,
    clock,
    events,
    sealer,
    maxPerPeer: stored.outboxPerPeer,
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
    sender: limitedSender,
    outbox,
    policy: federation.current,
    isAutoAccepted: (host) => isListed(host, federation.current().autoAccept),
    isContact: contacts.isContact,
    findRecipient: users.findEnabledUser,
    // A home that cannot be read hides nothing and delays no share.
    listOwnNames: async (username) =>
      listNames(treeOf(await users.getUser(username)), [files.sharedFolder]).catch(() => []),
    maxPending: { perUser: stored.pendingPerUser, perPeer: stored.pendingPerPeer },
    authority,
    allowHttp: dev,
    // Called only after everything below exists.
    onAccepted: (id) => mounts.visitSoon(id),
    async tryAccess(id) {
      await access.retry(id)
      mounts.visitSoon(id)
    },
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
  const views = createViewStore(ground.generation)
  const mounts: Mounts = createMounts({
    db,
    clock,
    log: log.child({ room: 'mounts' }),
    incoming,
    peers,
    sharedFolder: files.sharedFolder,
    maxUploadBytes: config.webdav.maxUploadBytes,
    pace: uploadPace(limits),
    openRemote: (mount, onSeen) =>
      ground.openMount(mount, onSeen) ??
      createRemoteTree({
        call: access.open(mount),
        name: mount.mountName,
        onSeen,
        patienceMs: outbound.timeoutMs,
        views,
      }),
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
    limit: {
      ...limits.token,
      exchanges: partOf(limits.token.exchanges, processes),
    },
    failures: tokenFailuresByPeer,
  })
  const notifications: Notifications = createNotifications({
    db,
    clock,
    events,
    sender: limitedSender,
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
    rooms: {
      federation,
      peers,
      sender,
      invites,
      contacts,
      outbox,
      shares,
      incoming,
      access,
      mounts,
      reshares,
      notifications,
      tokens,
    },
    /** Ends what a user who goes gave and was given; what it returns tells the peers. */
    async endAllOf(tx: Transaction, user: User): Promise<() => Promise<void>> {
      const ended = [...(await shares.endAllOf(tx, user)), ...(await incoming.endAllOf(tx, user))]
      return () => tellSoon(outbox, ended)
    },
    async stop(): Promise<void> {
      await Promise.all([outbox.stop(), mounts.stop()])
    },
  }
}
