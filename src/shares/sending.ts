import type { Clock, EventHub, Sealer } from '../core/index.ts'
import { inTransaction, type Database, type Transaction } from '../db/index.ts'
import {
  judgeFailure,
  type Deliver,
  type DeliveryOutcome,
  type NewEntry,
  type Outbox,
} from '../outbox/index.ts'
import type { Peer, Peers } from '../peers/index.ts'
import { createDelivery, type DeliveryDeps } from './delivery.ts'
import type { PayloadShape } from './wire.ts'
import { ShareError } from './errors.ts'
import type { OutgoingShare } from './outgoing-share.ts'
import { decideStrictness } from './preflight.ts'
import {
  findShare,
  findToken,
  forgetSealedSecret,
  markShare,
  noteSent,
  selectInterrupted,
} from './queries.ts'
import { sealContext } from './sealed-secret.ts'

export interface SendingDeps extends Omit<DeliveryDeps, 'peers'> {
  db: Database
  clock: Clock
  events: EventHub
  sealer: Sealer
  peers: Pick<Peers, 'discover' | 'getPeer' | 'learn' | 'post'>
  outbox: Pick<Outbox, 'prepare' | 'deliverNow' | 'retrySubject'>
  policy(): { readonly requireTokenExchange: boolean }
  getShare(id: string): Promise<OutgoingShare>
  /** Ends what was passed on and its recipient's server will not have. */
  giveUp(tx: Transaction, id: string): Promise<void>
}

/** Peers that verify signatures ask for no secret in a notification; the others prove us by it. */
export const needsSecretLater = ({ discovery }: Peer): boolean =>
  !discovery.criteria.includes('must-use-http-sig')

/** How a committed share gets to its peer, now or later. */
export function createSending(deps: SendingDeps) {
  const { db, clock, events, sealer, peers, outbox, policy, getShare, giveUp } = deps
  const post = createDelivery(deps)

  const owed = ({ id, recipientHost }: { id: string; recipientHost: string }): NewEntry => ({
    peer: recipientHost,
    subject: id,
    message: { kind: 'share', shareId: id },
  })

  /** A share that is passed on is strict wherever the new recipient's server demands it. */
  async function judgeStrictness(share: OutgoingShare, peer: Peer): Promise<OutgoingShare> {
    if (share.parentId === null || share.strict) return share
    const { discovery, host } = peer
    const strict = decideStrictness(host, 'auto', discovery, policy().requireTokenExchange)
    if (strict) await inTransaction(db, (tx) => markShare(tx, share.id, { problem: null, strict }))
    return { ...share, strict }
  }

  async function tryOnce(
    share: OutgoingShare,
    secret: string,
    attempts: number,
  ): Promise<DeliveryOutcome & { readonly shape?: PayloadShape }> {
    const { id, recipientHost } = share
    // Whoever stumbled may have become another server since.
    const find = attempts > 1 ? peers.discover : peers.getPeer
    const peer = await find(recipientHost)
    const outcome = await post(await judgeStrictness(share, peer), secret, peer, attempts > 1)
    if (outcome.status !== 'delivered') return outcome
    const { shape: payloadShape } = outcome
    if (peer.profile.payloadShape !== payloadShape) await peers.learn(peer.host, { payloadShape })
    return {
      status: 'delivered',
      async record(tx) {
        const sentAt = clock.now()
        await noteSent(tx, id, sentAt)
        await markShare(tx, id, { state: 'sent', problem: null, payloadShape })
        if (!needsSecretLater(peer)) await forgetSealedSecret(tx, id)
        events.emit('share.sent', { shareId: id, peer: recipientHost })
      },
    }
  }

  /** Delivers the Share Creation Notification; the peer takes a repeat for the same share. */
  const deliver: Deliver<'share'> = async ({ shareId }, { attempts, isLast }) => {
    const found = await findShare(db, shareId)
    const token = await findToken(db, shareId)
    const isOwed = found?.share.state === 'pending' || found?.share.state === 'failed'
    if (!isOwed || token?.sealedSecret == null) return { status: 'delivered' }
    const share = { ...found.share, owner: found.owner }
    const secret = sealer.open(token.sealedSecret, sealContext(shareId))
    const outcome: Awaited<ReturnType<typeof tryOnce>> = await tryOnce(
      share,
      secret,
      attempts,
    ).catch(judgeFailure)
    if (outcome.status === 'delivered') return outcome
    const state = outcome.status === 'refused' || isLast ? 'failed' : 'pending'
    const { recipientHost: peer } = share
    const { shape, ...failure } = outcome
    // The next attempt says the same: a peer that knows the share by now must recognise it.
    const said = shape === undefined ? {} : { payloadShape: shape }
    return {
      ...failure,
      async record(tx: Transaction) {
        await markShare(tx, shareId, { state, problem: outcome.reason, ...said })
        if (state === 'failed') await giveUp(tx, shareId)
        events.emit('share.send-failed', { shareId, peer, reason: outcome.reason })
      },
    }
  }

  return {
    deliver,
    owed,

    /**
     * Owes what a version without an outbox had committed and perhaps sent when it ended. Returns
     * how many there were.
     */
    oweInterrupted: (): Promise<number> =>
      inTransaction(db, async (tx) => {
        const shares = await selectInterrupted(tx)
        for (const share of shares) {
          await outbox.prepare({ ...owed(share), mayHaveArrived: true })(tx)
        }
        return shares.length
      }),

    /** Tries now to send a pending or failed share; how it went is in the returned one. */
    async send(id: string): Promise<OutgoingShare> {
      const share = await getShare(id)
      if (share.state !== 'pending' && share.state !== 'failed') {
        const message = `Share "${id}" is ${share.state}; only a pending or failed one is sent.`
        throw new ShareError('share_state', message)
      }
      // Shares from before there was an outbox have no entry.
      if ((await outbox.retrySubject(id)) === 0) {
        await inTransaction(db, outbox.prepare(owed(share)))
      }
      await outbox.deliverNow(id)
      return getShare(id)
    },
  }
}
