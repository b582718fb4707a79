import { AppError } from '../core/index.ts'
import { formatOcmAddress, type Peer, type Peers } from '../peers/index.ts'
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

export function createDelivery({ peers, findUser, authority, shareUrl }: DeliveryDeps) {
  /** Posts the notice; a peer that stumbles over the payload is asked once more in other words. */
  return async function deliver(
    share: OutgoingShare,
    secret: string,
    peer: Peer,
  ): Promise<PayloadShape> {
    const owner = await findUser(share.owner)
    const notice = {
      shareId: share.id,
      recipient: share.recipient,
      owner: formatOcmAddress({ identifier: owner.username, host: authority }),
      ownerDisplayName: owner.displayName,
      name: share.name,
      resourceType: share.resourceType,
      permissions: share.permissions,
      strict: share.strict,
      expiresAt: share.expiresAt,
      refreshToken: secret,
      url: shareUrl(share.id),
    }
    const first = peer.profile.payloadShape ?? choosePayloadShape(peer.discovery)
    const shapes = first === 'strict' ? [first] : [first, otherShape(first)]
    let problem = ''
    for (const shape of shapes) {
      const payload = writeShareNotice(notice, shape, peer.discovery)
      const answer = await peers.post(peer, '/shares', payload)
      if (answer.status >= 200 && answer.status < 300) return shape
      problem ||= `${peer.host} answered ${answer.status}${answer.reason && `: ${answer.reason}`}`
      const aboutShape = /protocol|option/i.test(answer.reason)
      if (![400, 501].includes(answer.status) || !aboutShape) break
    }
    throw new AppError('upstream', 'share_refused', problem)
  }
}
