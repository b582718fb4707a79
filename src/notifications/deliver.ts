import type { Clock } from '../core/index.ts'
import type { Deliver } from '../outbox/index.ts'
import { describeAnswer, judgeAnswer, type PeerAnswer, type Peers } from '../peers/index.ts'

/** What Nextcloud says, letter by letter; people read it, programs should not. */
const texts = {
  SHARE_ACCEPTED: 'Recipient accept the share',
  SHARE_DECLINED: 'Recipient declined the share',
  SHARE_UNSHARED: 'file is no longer shared with you',
  RESHARE_UNDO: 'reshare was revoked',
} as const

/** Sends what the outbox owes a peer, in the words that this peer understands. */
export function createDeliver({
  clock,
  peers,
}: {
  clock: Clock
  peers: Pick<Peers, 'getPeer' | 'post'>
}): Deliver<'notification'> {
  return async (message, { peer: host, attempts }) => {
    const { type, providerId, resourceType, secret, mayArriveUntil } = message
    const peer = await peers.getPeer(host)
    // Who takes signed messages only has no use for the secret, so it stays here.
    const bySignature = peer.discovery.criteria.includes('must-use-http-sig')
    const proof = secret === undefined ? {} : { sharedSecret: secret }
    const answer = await peers.post(peer, '/notifications', {
      notificationType: type,
      resourceType,
      providerId,
      ...(!bySignature && { notification: { ...proof, message: texts[type] } }),
    })
    const { status, retryAfterSeconds } = answer
    const reason = describeAnswer(host, answer)
    const verdict = judgeAnswer(status)
    if (verdict === 'delivered') return { status: 'delivered' }
    if (verdict === 'later') {
      const again = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
      return { status: 'later', reason, ...again }
    }
    if (type !== 'SHARE_ACCEPTED' && isUnknown(answer, mayArriveUntil !== undefined)) {
      // What the peer does not know it need not forget, unless it still gets to know it.
      const waitMs = (mayArriveUntil ?? 0) - clock.now()
      if (waitMs <= 0) return { status: 'delivered' }
      return { status: 'later', reason, retryAfterSeconds: Math.ceil(waitMs / 1000) }
    }
    // It may have heard us the first time.
    const isRepeat = status === 409 && attempts > 1
    return isRepeat ? { status: 'delivered' } : { status: 'refused', reason }
  }
}

/** Strangers are told nothing of shares: who never had one of ours may answer as to a stranger. */
const isUnknown = ({ status, reason }: PeerAnswer, mayBeStranger: boolean): boolean =>
  status === 404 || status === 400 || (mayBeStranger && reason === 'RESOURCE_NOT_FOUND')
