import type { Clock, EventHub } from '../core/index.ts'
import type { Database } from '../db/index.ts'
import type { Peers, SenderCheck } from '../peers/index.ts'
import type { Grants, IncomingShares, OutgoingAnswers, Reshares } from '../shares/index.ts'

export interface NotificationsDeps {
  db: Database
  clock: Clock
  events: EventHub
  sender: SenderCheck
  peers: Pick<Peers, 'getPeer' | 'post'>
  incoming: Pick<IncomingShares, 'endBySender' | 'findOffers' | 'get' | 'matchesSecret'>
  answers: OutgoingAnswers
  grants: Grants
  reshares: Pick<Reshares, 'endByOwner' | 'findPassedOn' | 'matchesToken'>
  /** The id of the share that a living access token of ours opens. */
  shareOfToken(token: string): Promise<string | undefined>
}
