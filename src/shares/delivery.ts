import {
  describeAnswer,
  formatOcmAddress,
  judgeAnswer,
  type Peer,
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

/** What became of a notice; the shape is the one that was answered, or not, in the end. */
export type NoticeOutcome =
  | { readonly status: 'delivered'; readonly shape: PayloadShape }
  | { readonly status: 'later' | 'refused'; readonly shape: PayloadShape; readonly reason: string }

export function createDelivery({ peers, findUser, authority, shareUrl }: DeliveryDeps) {
  /**
   * Posts the notice; a peer that stumbles over the payload is asked once more in other words.
   *
   * @param isRepeat the peer may have taken it before.
   * @throws OutboundError, PeerError when there is no answer.
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
    const shapes = first === 'strict' ? [first] : [first, otherShape(first)]
    let outcome: NoticeOutcome | undefined
    for (const shape of shapes) {
      const payload = writeShareNotice(notice, shape, peer.discovery)
      const answer = await peers.post(peer, '/shares', payload)
      const status = judgeAnswer(answer.status)
      // What it calls a conflict is our first attempt, whose answer was lost.
      const isThere = status === 'delivered' || (answer.status === 409 && isRepeat)
      if (isThere) return { status: 'delivered', shape }
      const reason = describeAnswer(peer.host, answer)
      outcome ??= { status, shape, reason }
      const aboutShape = /protocol|option/i.test(answer.reason)
      if (![400, 501].includes(answer.status) || !aboutShape) break
    }
    return outcome ?? { status: 'refused', shape: first, reason: 'No payload was left to try.' }
  }
}
