import { hashSecret, newId, reach, type Clock, type EventHub, type Sealer } from '../core/index.ts'
import { inTransaction, type Database, type Transaction } from '../db/index.ts'
import type { Outbox } from '../outbox/index.ts'
import { formatOcmAddress, parseOcmAddress, type OcmAddress, type Peers } from '../peers/index.ts'
import type { User } from '../users/index.ts'
import { ShareError } from './errors.ts'
import type { SharePermission } from './permissions.ts'
import { decideStrictness, type ExchangeMode } from './preflight.ts'
import {
  findShare,
  insertShare,
  prepareFindLiveShare,
  selectOpenPaths,
  selectShares,
  type OwnedShare,
} from './queries.ts'
import type { OutgoingShare } from './outgoing-share.ts'
import { checkName, parsePath } from './resource.ts'
import { newRefreshToken } from './refresh-token.ts'
import { createRevocation } from './revocation.ts'
import { sealContext } from './sealed-secret.ts'
import { createSending } from './sending.ts'
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
  /** As it is now: whether only strict shares are given. */
  policy(): { readonly requireTokenExchange: boolean }
  outbox: Pick<Outbox, 'prepare' | 'cancel' | 'deliverNow' | 'retrySubject'>
  /** Whether a user knows somebody on another server. */
  isContact(userId: string, address: OcmAddress): Promise<boolean>
  /** `host[:port]` of this server. */
  authority: string
  /** The absolute URL of a share by id. */
  shareUrl(shareId: string): string
}

export type Shares = ReturnType<typeof createShares>

const flatten = ({ share, owner }: OwnedShare): OutgoingShare => ({ ...share, owner })

export function createShares(deps: SharesDeps) {
  const { db, clock, events, sealer, peers, findUser, statPath, outbox, authority } = deps
  const findLive = prepareFindLiveShare(db)
  const revocation = createRevocation(deps)
  const sending = createSending({ ...deps, getShare, giveUp: revocation.giveUp })

  async function getShare(id: string): Promise<OutgoingShare> {
    const found = await findShare(db, id)
    if (found !== undefined) return flatten(found)
    throw new ShareError('share_not_found', `There is no share "${id}".`)
  }

  return {
    getShare,
    ...sending,

    /**
     * Shares a file or folder: discover, decide, commit, then tell the peer. The returned share is
     * `sent`, or with the reason in `problem` `failed`, or `pending` while we try on.
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
      const mustKnow = peer.discovery.criteria.includes('must-invite')
      if (mustKnow && !(await deps.isContact(owner.id, recipient))) {
        const message = `${recipient.host} takes shares from contacts only; exchange an invite with ${wanted.recipient} first.`
        throw new ShareError('invite_required', message)
      }
      const mode = wanted.mode ?? 'auto'
      const strict = decideStrictness(
        recipient.host,
        mode,
        peer.discovery,
        deps.policy().requireTokenExchange,
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
      const owe = outbox.prepare(sending.owed(share))
      await inTransaction(db, async (tx) => {
        await insertShare(tx, share, refreshToken)
        await owe(tx)
      })
      events.emit('share.created', { shareId: id, peer: recipient.host, strict })
      await reach('share.committed')
      await outbox.deliverNow(id)
      return getShare(id)
    },

    listShares: async (owner?: string): Promise<OutgoingShare[]> => {
      if (owner !== undefined) await findUser(owner)
      return (await selectShares(db, owner)).map(flatten)
    },

    /** What a user shares now, to be compared with the files. */
    openPaths: (ownerId: string) => selectOpenPaths(db, ownerId, clock.now()),

    /** From the next request on nobody gets in, here or where it was shared on; peers are told. */
    async revokeShare(id: string): Promise<OutgoingShare> {
      const share = await getShare(id)
      if (share.revokedAt === null) await revocation.revoke(id)
      return getShare(id)
    },

    /** Ends everything that a user gave, within a transaction. Returns whom it was, to be told. */
    async endAllOf(tx: Transaction, { username }: User): Promise<string[]> {
      const ended: string[] = []
      for (const { share } of await selectShares(tx, username)) {
        // What was passed on ends with what it was passed on from.
        if (share.revokedAt === null && share.parentId === null) {
          ended.push(...(await revocation.end(tx, share)))
        }
      }
      return ended
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
