import type { Deliver } from '../outbox/index.ts'
import { describeAnswer, judgeAnswer, type Peers } from '../peers/index.ts'

/** What Nextcloud says, letter by letter; people read it, programs should not. */
const texts = {
  SHARE_ACCEPTED: 'Recipient accept the share',
  SHARE_DECLINED: 'Recipient declined the share',
  SHARE_UNSHARED: 'file is no longer shared with you',
  RESHARE_UNDO: 'reshare was revoked',
} as const

/** Sends what the outbox owes a peer, in the words that this peer understands. */
export function createDeliver({
  peers,
}: {
  peers: Pick<Peers, 'getPeer' | 'post'>
}): Deliver<'notification'> {
  return async ({ type, providerId, resourceType, secret }, { peer: host, attempts }) => {
    const peer = await peers.getPeer(host)
    // Who takes signed messages only has no use for the secret, so it stays here.
    const bySignature = peer.discovery.criteria.includes('must-use-http-sig')
    const proof = secret === undefined ? {} : { sharedSecret: secret }
    const { status, reason, retryAfterSeconds } = await peers.post(peer, '/notifications', {
      notificationType: type,
      resourceType,
      providerId,
      ...(!bySignature && { notification: { ...proof, message: texts[type] } }),
    })
    const why = describeAnswer(host, { status, reason })
    const verdict = judgeAnswer(status)
    if (verdict === 'later') {
      return {
        status: 'later',
        reason: why,
        ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      }
    }
    const isEnd = type !== 'SHARE_ACCEPTED'
    // What the peer does not know it need not forget; and it may have heard us the first time.
    const isDone = (isEnd && (status === 404 || status === 400)) || (status === 409 && attempts > 1)
    return verdict === 'delivered' || isDone
      ? { status: 'delivered' }
      : { status: 'refused', reason: why }
  }
}
