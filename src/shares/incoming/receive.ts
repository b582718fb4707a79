import { AppError, newId, reach } from '../../core/index.ts'
import { inTransaction, type Transaction } from '../../db/index.ts'
import { mediaType, parseJson } from '../../http/index.ts'
import { formatOcmAddress, type OcmAddress, type ReceivedMessage } from '../../peers/index.ts'
import type { User } from '../../users/index.ts'
import { owe, type IncomingSharesDeps } from './deps.ts'
import { badMember, IncomingError } from './errors.ts'
import { contentHash, parseOffer } from './offer.ts'
import {
  countPending,
  findOffer,
  insertIncoming,
  selectMountNames,
  type IncomingShareRow,
  type NewIncomingShare,
} from './queries.ts'
import { chooseMountName } from './mount-name.ts'
import { openSecret, sameText, sealSecret } from './secret.ts'
import type { ShareOffer } from './share-offer.ts'
import { readParties, type Receipt } from './wire.ts'

/** When there may be room again: people answer in their own time. */
const fullSeconds = 3600

type Outcome = 'new' | 'repeat' | 'auto-accepted'

/** `POST /shares` from another server: who says so, what, for whom; then it is recorded once. */
export function createReceive(deps: IncomingSharesDeps) {
  const { db, clock, events, sealer, sender: senders, authority, allowHttp } = deps

  /** The cheapest checks first; nobody is asked anything before the message itself holds together. */
  async function readMessage(
    message: ReceivedMessage,
    contentType: string | undefined,
    onProven: (host: string) => void,
  ): Promise<ShareOffer> {
    if (!/^application\/(.+\+)?json$/.test(mediaType(contentType) ?? '')) {
      throw new IncomingError('not_json', 'Content-Type must be application/json, in UTF-8')
    }
    const inspected = senders.inspect(message)
    const document = parseJson(message.body)
    const { sender, owner } = readParties(document)
    await senders.authenticate(inspected, sender.host)
    onProven(sender.host)
    if (owner.host !== sender.host) {
      throw new IncomingError('foreign_owner', 'owner must be on the server of the sender')
    }
    return parseOffer(document, { authority, allowHttp, now: clock.now() })
  }

  async function findRecipient(offer: ShareOffer): Promise<User> {
    const { requireTokenExchange, requireInvite } = deps.policy()
    if (requireTokenExchange && !offer.strict) {
      throw badMember('protocol.webdav.requirements', 'must have must-exchange-token')
    }
    if (offer.recipient.host !== authority) {
      throw badMember('shareWith', 'is not on this server')
    }
    const user = await deps.findRecipient(offer.recipient.identifier)
    // The same words and the same work whether there is such a user or not: strangers learn nothing.
    if (requireInvite && !(await deps.isContact(user?.id ?? '', offer.sender))) {
      throw new IncomingError('not_a_contact', 'the recipient takes shares from contacts only')
    }
    if (user === undefined) throw badMember('shareWith', 'is no user of this server')
    return user
  }

  const isWelcome = async (userId: string, sender: OcmAddress): Promise<boolean> =>
    deps.isAutoAccepted(sender.host) || (await deps.isContact(userId, sender))

  /** Whether a later offer under the same id is the earlier one, said again. */
  function isRepeat(row: IncomingShareRow, hash: string, offer: ShareOffer): boolean {
    if (row.contentHash !== hash) return false
    const known = openSecret(sealer, row)
    if (known === undefined) return true
    return sameText(known.secret, offer.secret) && sameText(known.code ?? '', offer.code ?? '')
  }

  /** Whoever accepts or declines makes room; one text for both bounds. */
  async function requireRoom(tx: Transaction, row: NewIncomingShare): Promise<void> {
    const { perUser, perPeer } = deps.maxPending
    const { ofUser, ofPeer } = await countPending(tx, row, clock.now())
    if (ofUser < perUser && ofPeer < perPeer) return
    const message = 'too many shares wait for an answer'
    throw new IncomingError('too_many_pending', message, { retryAfterSeconds: fullSeconds })
  }

  async function record(offer: ShareOffer, user: User): Promise<[id: string, outcome: Outcome]> {
    const accepted = await isWelcome(user.id, offer.sender)
    const hash = contentHash(offer)
    const row = newRow(offer, user, hash)
    const tell = accepted ? owe(deps.outbox, row, 'SHARE_ACCEPTED', offer.secret) : undefined
    const own = accepted ? await deps.listOwnNames(user.username) : []
    return inTransaction(db, async (tx) => {
      const known = await findOffer(tx, row)
      if (known === undefined) {
        if (!tell) await requireRoom(tx, row)
        await insertIncoming(tx, tell ? await acceptedRow(tx, row, own) : row)
        await tell?.(tx)
        return [row.id, tell ? 'auto-accepted' : 'new']
      }
      if (isRepeat(known, hash, offer)) return [known.id, 'repeat']
      const message = 'another share with this providerId was received before'
      throw new IncomingError('offer_changed', message)
    })
  }

  function newRow(offer: ShareOffer, user: User, hash: string) {
    const id = `rcv-${newId()}`
    const { providerId, name, resourceType, senderName, ownerName, expiresAt } = offer
    const { permissions, strict, form, uri } = offer
    return {
      id,
      userId: user.id,
      senderHost: offer.sender.host,
      providerId,
      sender: formatOcmAddress(offer.sender),
      owner: formatOcmAddress(offer.owner),
      senderName,
      ownerName,
      name,
      resourceType,
      permissions,
      strict,
      form,
      uri,
      sealedSecret: sealSecret(sealer, id, offer),
      contentHash: hash,
      state: 'pending' as const,
      createdAt: clock.now(),
      expiresAt,
    }
  }

  async function acceptedRow(
    tx: Transaction,
    row: NewIncomingShare,
    own: readonly string[],
  ): Promise<NewIncomingShare> {
    const taken = [...own, ...(await selectMountNames(tx, row.userId))]
    const mountName = chooseMountName(row.name, row.resourceType, taken)
    return { ...row, state: 'accepted', mountName, respondedAt: row.createdAt }
  }

  return async function receive(
    message: ReceivedMessage,
    contentType: string | undefined,
  ): Promise<Receipt> {
    let peer: string | undefined
    try {
      const offer = await readMessage(message, contentType, (host) => (peer = host))
      const user = await findRecipient(offer)
      const [incomingId, outcome] = await record(offer, user)
      await reach('received.committed')
      events.emit('share.received', { incomingId, peer: offer.sender.host, outcome })
      if (outcome === 'auto-accepted') deps.onAccepted?.(incomingId)
      return { recipientDisplayName: user.displayName, recipientUserId: user.username }
    } catch (error) {
      if (error instanceof AppError)
        events.emit('share.refused', { peer, reason: String(error.code) })
      throw error
    }
  }
}
