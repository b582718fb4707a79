import type { Clock, EventHub, Sealer } from '../../core/index.ts'
import type { Database, Transaction } from '../../db/index.ts'
import {
  judgeFailure,
  type Deliver,
  type FailedDelivery,
  type NewEntry,
  type Outbox,
} from '../../outbox/index.ts'
import { describeAnswer, judgeAnswer, type Peers } from '../../peers/index.ts'
import type { IncomingShareRow } from '../incoming/queries.ts'
import { openSecret, sameText } from '../incoming/secret.ts'
import { needsSecretLater } from '../sending.ts'
import { findReshare, updateReshare, type AskedReshare } from './queries.ts'
import { readReshareGrant, writeReshareRequest, type ReshareGrant } from './wire.ts'

export interface AskingDeps {
  db: Database
  clock: Clock
  events: EventHub
  sealer: Sealer
  peers: Pick<Peers, 'getPeer' | 'post'>
  outbox: Pick<Outbox, 'prepare' | 'cancel'>
}

const tokenContext = (id: string): string => `reshares.token:${id}`

/**
 * Whether the owner has still to be asked. Also when it was undone before the answer was known: a
 * repeated question tells what to undo. What was revoked may come back, and the owner alone knows what
 * it has of it.
 */
const isOpen = ({ row, parent }: AskedReshare): boolean =>
  (parent.state === 'accepted' || parent.state === 'revoked') &&
  (row.state === 'undone' ? row.providerId === null : row.state !== 'granted')

/** How the owner of a share is asked to pass it on, and told that it is over. */
export function createAsking({ db, clock, events, sealer, peers, outbox }: AskingDeps) {
  const owed = (id: string, { senderHost: peer }: IncomingShareRow): NewEntry => ({
    peer,
    subject: id,
    message: { kind: 'reshare', reshareId: id },
  })

  /** Owes the owner the news that a share which was granted is not wanted any more. */
  async function oweUndo(
    tx: Transaction,
    { row, parent }: AskedReshare,
    { providerId, token }: ReshareGrant,
  ): Promise<void> {
    const { senderHost: peer, resourceType } = parent
    const secret = token ?? openSecret(sealer, parent)?.secret
    const notice = { type: 'RESHARE_UNDO', providerId, resourceType } as const
    const message = {
      kind: 'notification',
      ...notice,
      ...(secret !== undefined && { secret }),
    } as const
    await outbox.prepare({ peer, subject: row.id, message })(tx)
  }

  async function ask({ row, parent }: AskedReshare): Promise<ReshareGrant | FailedDelivery> {
    const peer = await peers.getPeer(parent.senderHost)
    const { providerId, resourceType } = parent
    const request = writeReshareRequest({
      providerId,
      resourceType,
      recipient: row.recipient,
      reshareId: row.id,
      secret: needsSecretLater(peer) ? openSecret(sealer, parent)?.secret : undefined,
    })
    const answer = await peers.post(peer, '/notifications', request)
    const verdict = judgeAnswer(answer.status)
    const reason = describeAnswer(peer.host, answer)
    if (verdict === 'delivered') {
      const unclear = `${reason}, but named no share; it does not pass shares on.`
      return readReshareGrant(answer.body) ?? { status: 'refused', reason: unclear }
    }
    const { retryAfterSeconds } = answer
    if (verdict === 'refused' || retryAfterSeconds === undefined) return { status: verdict, reason }
    return { status: verdict, reason, retryAfterSeconds }
  }

  async function noteGrant(tx: Transaction, id: string, grant: ReshareGrant): Promise<void> {
    const found = await findReshare(tx, id)
    if (found === undefined) return
    const { providerId, token } = grant
    if (found.row.state === 'undone') {
      await updateReshare(tx, id, { providerId })
      await oweUndo(tx, found, grant)
      return
    }
    const sealedToken = token === null ? null : sealer.seal(token, tokenContext(id))
    await updateReshare(tx, id, { state: 'granted', providerId, sealedToken, problem: null })
    events.emit('reshare.answered', {
      reshareId: id,
      peer: found.parent.senderHost,
      answer: 'granted',
    })
  }

  async function noteFailure(
    tx: Transaction,
    id: string,
    failure: FailedDelivery,
    isLast: boolean,
  ): Promise<void> {
    const found = await findReshare(tx, id)
    const isFinal = failure.status === 'refused' || isLast
    if (found?.row.state === 'undone') {
      // What was refused is not there to be undone.
      if (failure.status === 'refused') await outbox.cancel(tx, id, ['reshare'])
      return
    }
    if (found === undefined || found.row.state === 'granted') return
    const state = isFinal ? 'refused' : 'requested'
    await updateReshare(tx, id, { state, problem: failure.reason })
    const { senderHost: peer } = found.parent
    if (isFinal) events.emit('reshare.answered', { reshareId: id, peer, answer: 'refused' })
  }

  /** Asks the owner; who is asked again answers the same. */
  const deliver: Deliver<'reshare'> = async ({ reshareId }, { isLast }) => {
    const found = await findReshare(db, reshareId)
    if (found === undefined || !isOpen(found)) return { status: 'delivered' }
    const answer = await ask(found).catch(judgeFailure)
    if ('status' in answer) {
      return { ...answer, record: (tx) => noteFailure(tx, reshareId, answer, isLast) }
    }
    return { status: 'delivered', record: (tx) => noteGrant(tx, reshareId, answer) }
  }

  return {
    deliver,
    owed,

    /** Whether a secret is the one to undo it with, or opens what is passed on. */
    matchesToken({ row, parent }: AskedReshare, secret: string): boolean {
      const token = row.sealedToken && sealer.open(row.sealedToken, tokenContext(row.id))
      const known = [token, openSecret(sealer, parent)?.secret]
      return known.some((one) => one != null && sameText(one, secret))
    },

    /** Ends it here, and at its owner as far as that may know of it. */
    async end(tx: Transaction, found: AskedReshare): Promise<void> {
      const { row, parent } = found
      const { id, providerId, sealedToken } = row
      if (row.state === 'granted' && providerId !== null) {
        const token = sealedToken && sealer.open(sealedToken, tokenContext(id))
        await oweUndo(tx, found, { providerId, token })
      } else {
        const { mayHaveArrived } = await outbox.cancel(tx, id, ['reshare'])
        if (mayHaveArrived) await outbox.prepare(owed(id, parent))(tx)
      }
      const endedAt = clock.now()
      await updateReshare(tx, id, { state: 'undone', endedAt, sealedToken: null, problem: null })
    },
  }
}
