import { AppError, reach } from '../core/index.ts'
import { inTransaction } from '../db/index.ts'
import { mediaType, parseJson } from '../http/index.ts'
import { parseOcmAddress, type ReceivedMessage } from '../peers/index.ts'
import { createAuthorise, type Party } from './authorise.ts'
import type { NotificationsDeps } from './deps.ts'
import { NotificationError } from './errors.ts'
import { readNotice, type Notice, type NoticeAnswer } from './wire.ts'

const understood = new Set([
  'SHARE_ACCEPTED',
  'SHARE_DECLINED',
  'SHARE_UNSHARED',
  'REQUEST_RESHARE',
  'RESHARE_UNDO',
])

interface Effect {
  readonly outcome: string
  /** Beside the status. */
  readonly answer?: NoticeAnswer
}

/** `POST /notifications` from another server: what is said, whether it may be said, what it does. */
export function createReceive(deps: NotificationsDeps) {
  const { db, events, sender: senders, incoming, answers, grants, reshares } = deps
  const authorise = createAuthorise(deps)

  async function answered(id: string, peer: string, type: string): Promise<Effect> {
    const isAccepted = type === 'SHARE_ACCEPTED'
    const effect = await inTransaction(db, (tx) =>
      isAccepted ? answers.accepted(tx, id) : answers.declined(tx, id),
    )
    await reach('notification.committed')
    if (effect === 'conflict') {
      const message = 'the share was declined before'
      throw new NotificationError('answered_otherwise', message)
    }
    const answer = isAccepted ? 'accepted' : 'declined'
    if (effect === 'changed') events.emit('share.answered', { shareId: id, peer, answer })
    return { outcome: effect }
  }

  async function ended(party: Party & { role: 'sender' }, notice: Notice): Promise<Effect> {
    const meant = await narrowed(party.offers, notice.grantee)
    await inTransaction(db, (tx) => incoming.endBySender(tx, meant))
    await reach('notification.committed')
    const live = meant.filter(({ endedAt }) => endedAt === null)
    for (const { id } of live) events.emit('share.ended', { incomingId: id, by: 'sender' })
    return { outcome: live.length > 0 ? 'changed' : 'same' }
  }

  /** oCIS ends the share of one of its recipients only. */
  async function narrowed<Row extends { id: string }>(
    rows: readonly Row[],
    grantee: string | null,
  ) {
    if (grantee === null) return rows
    const wanted = identifierOf(grantee)
    const users = await Promise.all(rows.map(async ({ id }) => (await incoming.get(id)).user))
    return rows.filter((_row, index) => users[index] === wanted)
  }

  async function take(party: Party, notice: Notice): Promise<Effect> {
    const { type, shareWith, shareType } = notice
    if (party.role === 'sender') return ended(party, notice)
    if (party.role === 'owner') {
      await reshares.endByOwner(party.reshare)
      await reach('notification.committed')
      return { outcome: 'undone' }
    }
    const { share, host } = party
    if (party.role === 'initiator') {
      await grants.undo(share.id)
      await reach('notification.committed')
      return { outcome: 'undone' }
    }
    if (type !== 'REQUEST_RESHARE') return answered(share.id, host, type)
    return { outcome: 'granted', answer: await grants.grant(share, shareWith, shareType) }
  }

  return async function receive(
    message: ReceivedMessage,
    contentType: string | undefined,
  ): Promise<NoticeAnswer> {
    let peer: string | undefined
    try {
      if (!isJson(contentType)) {
        throw new NotificationError('not_json', 'Content-Type must be application/json, in UTF-8')
      }
      const inspected = senders.inspect(message)
      const notice = readNotice(parseJson(message.body))
      if (!understood.has(notice.type)) {
        throw new NotificationError('unknown_type', 'this type of notification is not supported')
      }
      const party = await authorise(inspected, notice)
      peer = party.host
      const { outcome, answer = {} } = await take(party, notice)
      events.emit('notification.received', { type: notice.type, peer, outcome })
      return answer
    } catch (error) {
      if (error instanceof AppError) {
        events.emit('notification.refused', { peer, reason: String(error.code) })
      }
      throw error
    }
  }
}

/** The OCM stub does not say that it sends JSON, and its HTTP client calls that plain text. */
const isJson = (contentType: string | undefined): boolean =>
  contentType === undefined ||
  /^(application\/(.+\+)?json|text\/plain)$/.test(mediaType(contentType) ?? '')

function identifierOf(address: string): string | undefined {
  try {
    return parseOcmAddress(address).identifier
  } catch {
    return undefined
  }
}
