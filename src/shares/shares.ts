import {
  AppError,
  hashSecret,
  newId,
  type Clock,
  type EventHub,
  type Sealer,
} from '../core/index.ts'
import { inTransaction, type Database } from '../db/index.ts'
import { formatOcmAddress, parseOcmAddress, type Peer, type Peers } from '../peers/index.ts'
import type { User } from '../users/index.ts'
import { createDelivery } from './delivery.ts'
import { ShareError } from './errors.ts'
import type { SharePermission } from './permissions.ts'
import { decideStrictness, type ExchangeMode } from './preflight.ts'
import {
  findShare,
  findUnsentToken,
  forgetSealedSecret,
  insertShare,
  markShare,
  prepareFindLiveShare,
  revokeShareRows,
  selectShares,
  type OwnedShare,
} from './queries.ts'
import type { OutgoingShare } from './outgoing-share.ts'
import { checkName, parsePath } from './resource.ts'
import { newRefreshToken } from './refresh-token.ts'
import { newShareId } from './share-id.ts'

/** What a living refresh token opens. */
export interface LiveShare extends OutgoingShare {
  readonly refreshTokenId: string
}

export interface NewShare {
  readonly owner: string
  /** In the owner's tree, e.g. `/Holiday`. */
  readonly path: string
  /** OCM address. */
  readonly recipient: string
  readonly permissions?: readonly SharePermission[]
  readonly expiresAt?: number | undefined
  readonly name?: string | undefined
  readonly mode?: ExchangeMode
}

export interface SharesDeps {
  db: Database
  clock: Clock
  events: EventHub
  sealer: Sealer
  peers: Pick<Peers, 'discover' | 'getPeer' | 'isDenied' | 'learn' | 'post'>
  findUser(username: string): Promise<User>
  /** What stands at a path of a user's tree. */
  statPath(user: User, path: readonly string[]): Promise<'file' | 'folder' | undefined>
  /** Give strict shares only. */
  requireTokenExchange: boolean
  /** `host[:port]` of this server. */
  authority: string
  /** The absolute URL of a share by id. */
  shareUrl(shareId: string): string
}

export type Shares = ReturnType<typeof createShares>

const sealContext = (shareId: string): string => `refresh_tokens.secret:${shareId}`

const flatten = ({ share, owner }: OwnedShare): OutgoingShare => ({ ...share, owner })

export function createShares(deps: SharesDeps) {
  const { db, clock, events, sealer, peers, findUser, statPath, authority, shareUrl } = deps
  const findLive = prepareFindLiveShare(db)
  const deliver = createDelivery({ peers, findUser, authority, shareUrl })

  async function getShare(id: string): Promise<OutgoingShare> {
    const found = await findShare(db, id)
    if (found !== undefined) return flatten(found)
    throw new ShareError('share_not_found', `There is no share "${id}".`)
  }

  /** Sends a pending or failed share; the outcome is in the returned share's state. */
  async function send(id: string, known?: Peer): Promise<OutgoingShare> {
    const share = await getShare(id)
    const token = await findUnsentToken(db, id)
    if (token?.sealedSecret == null || share.revokedAt !== null) {
      const message = `Share "${id}" is ${share.state}; only a pending or failed one is sent.`
      throw new ShareError('share_state', message)
    }
    const peerName = share.recipientHost
    try {
      const peer = known ?? (await peers.discover(peerName))
      const secret = sealer.open(token.sealedSecret, sealContext(id))
      const payloadShape = await deliver(share, secret, peer)
      const sentAt = clock.now()
      await inTransaction(db, async (tx) => {
        await markShare(tx, id, { state: 'sent', problem: null, sentAt, payloadShape })
        await forgetSealedSecret(tx, id)
      })
      if (peer.profile.payloadShape !== payloadShape) await peers.learn(peerName, { payloadShape })
      events.emit('share.sent', { shareId: id, peer: peerName })
    } catch (error) {
      if (!(error instanceof AppError) || error.kind === 'internal') throw error
      const problem = error.message
      await inTransaction(db, (tx) => markShare(tx, id, { state: 'failed', problem }))
      events.emit('share.send-failed', { shareId: id, peer: peerName, reason: problem })
    }
    return getShare(id)
  }

  return {
    getShare,
    send,

    /**
     * Shares a file or folder: discover, decide, commit, then tell the peer. The returned share is
     * `sent`, or `failed` with the reason in `problem`.
     *
     * @throws ShareError, PeerError, UserError when nothing was created.
     */
    async createShare(wanted: NewShare): Promise<OutgoingShare> {
      const owner = await findUser(wanted.owner)
      if (owner.disabledAt !== null) {
        throw new ShareError('owner_disabled', `User "${owner.username}" is disabled.`)
      }
      const path = parsePath(wanted.path)
      const resourceType = await statPath(owner, path)
      if (resourceType === undefined) {
        const message = `${owner.username} has nothing at "${wanted.path}".`
        throw new ShareError('resource_not_found', message)
      }
      const recipient = parseOcmAddress(wanted.recipient)
      if (recipient.host === authority) {
        const message = `${wanted.recipient} is on this very server; shares go to other servers.`
        throw new ShareError('bad_recipient', message)
      }
      const now = clock.now()
      if (wanted.expiresAt !== undefined && wanted.expiresAt <= now) {
        throw new ShareError('bad_expiry', 'The share would have expired already.')
      }
      const name = checkName(wanted.name ?? path.at(-1) ?? owner.username)
      const peer = await peers.discover(recipient.host)
      const mode = wanted.mode ?? 'auto'
      const strict = decideStrictness(
        recipient.host,
        mode,
        peer.discovery,
        deps.requireTokenExchange,
      )
      const id = newShareId()
      const secret = newRefreshToken().reveal()
      const share = {
        id,
        ownerId: owner.id,
        path: [...path],
        resourceType,
        name,
        recipient: formatOcmAddress(recipient),
        recipientHost: recipient.host,
        permissions: [...(wanted.permissions ?? (['read'] as const))],
        strict,
        state: 'pending' as const,
        createdAt: now,
        expiresAt: wanted.expiresAt ?? null,
      }
      const refreshToken = {
        id: newId(),
        shareId: id,
        secretHash: hashSecret(secret),
        sealedSecret: sealer.seal(secret, sealContext(id)),
        createdAt: now,
      }
      // The peer may call back while our request is open: everything it needs is committed first.
      await inTransaction(db, (tx) => insertShare(tx, share, refreshToken))
      events.emit('share.created', { shareId: id, peer: recipient.host, strict })
      return send(id, peer)
    },

    listShares: async (owner?: string): Promise<OutgoingShare[]> => {
      if (owner !== undefined) await findUser(owner)
      return (await selectShares(db, owner)).map(flatten)
    },

    /** From the next request on nobody gets in; what the peer is told comes later. */
    async revokeShare(id: string): Promise<OutgoingShare> {
      const share = await getShare(id)
      if (share.revokedAt === null) {
        await inTransaction(db, (tx) => revokeShareRows(tx, id, clock.now()))
        events.emit('share.revoked', { shareId: id })
      }
      return getShare(id)
    },

    /** The share a refresh token opens, if both still live and its recipient is still a peer. */
    async findLiveShare(refreshToken: string): Promise<LiveShare | undefined> {
      const secretHash = hashSecret(refreshToken)
      const [row] = await findLive.execute({ secretHash, now: clock.now() })
      if (row === undefined || (await peers.isDenied(row.share.recipientHost))) return undefined
      return { ...row.share, owner: row.owner, refreshTokenId: row.refreshTokenId }
    },
  }
}
