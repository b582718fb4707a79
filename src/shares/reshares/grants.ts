import { hashSecret, newId, reach } from '../../core/index.ts'
import { inTransaction } from '../../db/index.ts'
import { formatOcmAddress, parseOcmAddress, type OcmAddress } from '../../peers/index.ts'
import { sameText } from '../incoming/secret.ts'
import { findShare, insertShare, selectChildren, type OutgoingShareRow } from '../queries.ts'
import { newRefreshToken } from '../refresh-token.ts'
import { createRevocation, type RevocationDeps } from '../revocation.ts'
import { sealContext, undoContext } from '../sealed-secret.ts'
import { newShareId } from '../share-id.ts'
import { ReshareError } from './errors.ts'

export interface GrantsDeps extends RevocationDeps {
  policy(): { readonly reshare: boolean; readonly requireTokenExchange: boolean }
  isDenied(host: string): boolean | Promise<boolean>
  /** `host[:port]` of this server. */
  authority: string
}

export type Grants = ReturnType<typeof createGrants>

/** Shares of ours that their recipients ask us to pass on. */
export function createGrants(deps: GrantsDeps) {
  const { db, clock, events, sealer, outbox, authority } = deps
  const revocation = createRevocation(deps)

  const secretOf = ({ id, sealedUndoToken }: OutgoingShareRow): string | undefined =>
    sealedUndoToken ? sealer.open(sealedUndoToken, undoContext(id)) : undefined

  async function judge(parent: OutgoingShareRow, shareWith: string): Promise<OcmAddress> {
    if (!deps.policy().reshare || !parent.permissions.includes('share')) {
      throw new ReshareError('reshare_forbidden', 'this share is not to be passed on')
    }
    let recipient: OcmAddress
    try {
      recipient = parseOcmAddress(shareWith)
    } catch {
      throw new ReshareError('reshare_bad_recipient', 'shareWith must be an OCM address')
    }
    if (recipient.host === authority || formatOcmAddress(recipient) === parent.recipient) {
      throw new ReshareError('reshare_bad_recipient', 'shareWith cannot be given this share')
    }
    if (await deps.isDenied(recipient.host)) {
      throw new ReshareError('reshare_forbidden', 'shareWith is on a server that is no peer')
    }
    return recipient
  }

  const isOver = ({ revokedAt, expiresAt }: OutgoingShareRow): boolean =>
    revokedAt !== null || (expiresAt !== null && expiresAt <= clock.now())

  return {
    /**
     * Gives the recipient a share with a refresh token of its own, never more and never longer than
     * the share it comes from. Asked again it answers the same.
     *
     * @returns what it is undone with; that opens nothing.
     * @throws ReshareError.
     */
    async grant(
      asked: OutgoingShareRow,
      shareWith: string,
      shareType: string,
    ): Promise<{ token: string; providerId: string }> {
      if (shareType !== 'user') {
        throw new ReshareError('reshare_unsupported', 'only users can be shared with')
      }
      const address = await judge(asked, shareWith)
      const recipient = formatOcmAddress(address)
      const id = newShareId()
      const secret = newRefreshToken().reveal()
      const token = newRefreshToken().reveal()
      const now = clock.now()
      const refreshToken = {
        id: newId(),
        shareId: id,
        secretHash: hashSecret(secret),
        sealedSecret: sealer.seal(secret, sealContext(id)),
        createdAt: now,
      }
      const sealedUndoToken = sealer.seal(token, undoContext(id))
      const message = { kind: 'share', shareId: id } as const
      const send = outbox.prepare({ peer: address.host, subject: id, message })
      const granted = await inTransaction(db, async (tx) => {
        const parent = (await findShare(tx, asked.id))?.share
        if (parent === undefined || isOver(parent)) {
          throw new ReshareError('reshare_forbidden', 'this share has ended')
        }
        const live = await selectChildren(tx, parent.id)
        const known = live.find((child) => child.recipient === recipient)
        const knownToken = known && secretOf(known)
        if (known && knownToken !== undefined) return { token: knownToken, providerId: known.id }
        const { ownerId, path, resourceType, name, permissions, expiresAt } = parent
        const strict = parent.strict || deps.policy().requireTokenExchange
        const passedOn = { parentId: parent.id, resharedBy: parent.recipient, sealedUndoToken }
        await insertShare(
          tx,
          {
            ...{ id, ownerId, path, resourceType, name, permissions, strict, expiresAt },
            ...passedOn,
            recipient,
            recipientHost: address.host,
            state: 'pending',
            createdAt: now,
          },
          refreshToken,
        )
        await send(tx)
        return { token, providerId: id }
      })
      await reach('reshare.committed')
      events.emit('reshare.granted', { shareId: granted.providerId, peer: address.host })
      return granted
    },

    /** Whether a secret is what a share that was passed on may be undone with. */
    matchesUndoToken(share: OutgoingShareRow, secret: string): boolean {
      const token = secretOf(share)
      return token !== undefined && sameText(token, secret)
    },

    /** Who passed it on takes it back: it ends, with what was passed on of it in turn. */
    async undo(id: string): Promise<void> {
      const share = await inTransaction(db, async (tx) => {
        const found = (await findShare(tx, id))?.share
        if (found === undefined || found.revokedAt !== null) return undefined
        await revocation.end(tx, found)
        return found
      })
      if (share) events.emit('reshare.undone', { shareId: id, peer: share.recipientHost })
    },
  }
}
