import { judgeFailure, type FailedDelivery } from '../outbox/index.ts'
import {
  describeAnswer,
  formatOcmAddress,
  judgeAnswer,
  type Peer,
  type PeerAnswer,
  type Peers,
} from '../peers/index.ts'
import type { User } from '../users/index.ts'
import type { OutgoingShare } from './outgoing-share.ts'
import { choosePayloadShape, otherShape, writeShareNotice, type PayloadShape } from './wire.ts'

export interface DeliveryDeps {
  peers: Pick<Peers, 'post'>
  findUser(username: string): Promise<User>
  /** `host[:port]` of this server. */
  authority: string
  /** The absolute URL of a share by id. */
  shareUrl(shareId: string): string
}

/** What became of a notice; the shape is the one that the peer may have taken. */
export type NoticeOutcome =
  | { readonly status: 'delivered'; readonly shape: PayloadShape }
  | (FailedDelivery & { readonly shape?: PayloadShape })

type PostNotice = (shape: PayloadShape) => Promise<PeerAnswer>

export function createDelivery({ peers, findUser, authority, shareUrl }: DeliveryDeps) {
  /**
   * Posts the notice; a peer that stumbles over the payload is asked once more in other words.
   *
   * @param isRepeat the peer may have taken it before.
   */
  return async function deliver(
    share: OutgoingShare,
    secret: string,
    peer: Peer,
    isRepeat: boolean,
  ): Promise<NoticeOutcome> {
    const owner = await findUser(share.owner)
    const { resharedBy } = share
    const notice = {
      shareId: share.id,
      recipient: share.recipient,
      owner: formatOcmAddress({ identifier: owner.username, host: authority }),
      ownerDisplayName: owner.displayName,
      senderDisplayName:
        resharedBy === null ? owner.displayName : `${resharedBy} via ${owner.displayName}`,
      name: share.name,
      resourceType: share.resourceType,
      permissions: share.permissions,
      strict: share.strict,
      expiresAt: share.expiresAt,
      refreshToken: secret,
      url: shareUrl(share.id),
    }
    const known = share.payloadShape ?? peer.profile.payloadShape
    const first = known ?? choosePayloadShape(peer.discovery)
    const post: PostNotice = (shape) =>
      peers.post(peer, '/shares', writeShareNotice(notice, shape, peer.discovery))
    const { outcome, isAboutShape } = await tryShape(post, first, peer.host, isRepeat)
    if (first === 'strict' || !isAboutShape) return outcome
    const second = await tryShape(post, otherShape(first), peer.host, isRepeat)
    // What it said of the words that we think are right tells more.
    return second.outcome.status === 'refused' ? outcome : second.outcome
  }
}

/** One try, and whether the peer stumbled over the words, as opposed to what the share is. */
async function tryShape(
  post: PostNotice,
  shape: PayloadShape,
  host: string,
  isRepeat: boolean,
): Promise<{ outcome: NoticeOutcome; isAboutShape: boolean }> {
  const isAboutShape = false
  let answer: PeerAnswer
  try {
    answer = await post(shape)
  } catch (error) {
    const failure = judgeFailure(error)
    // Its answer may have been lost: in other words the repeat would be another share.
    const mayHaveArrived = failure.status === 'later' && failure.untried !== true
    return { outcome: mayHaveArrived ? { ...failure, shape } : failure, isAboutShape }
  }
  const verdict = judgeAnswer(answer.status)
  // What it calls a conflict is our first attempt, whose answer was lost.
  if (verdict === 'delivered' || (answer.status === 409 && isRepeat)) {
    return { outcome: { status: 'delivered', shape }, isAboutShape }
  }
  const reason = describeAnswer(host, answer)
  if (verdict === 'refused') {
    const hasStumbled = [400, 501].includes(answer.status) && /protocol|option/i.test(answer.reason)
    return { outcome: { status: verdict, reason }, isAboutShape: hasStumbled }
  }
  const { retryAfterSeconds } = answer
  const again = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  return { outcome: { status: verdict, reason, shape, ...again }, isAboutShape }
}
