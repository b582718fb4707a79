import type { Clock, EventHub, Sealer } from '../../core/index.ts'
import type { Database, Transaction } from '../../db/index.ts'
import type { Outbox } from '../../outbox/index.ts'
import type { OcmAddress, SenderCheck } from '../../peers/index.ts'
import type { User } from '../../users/index.ts'
import type { NewIncomingShare } from './queries.ts'

export interface IncomingSharesDeps {
  db: Database
  clock: Clock
  events: EventHub
  sealer: Sealer
  sender: SenderCheck
  outbox: Pick<Outbox, 'prepare' | 'cancel' | 'deliverNow' | 'retrySubject'>
  policy(): { readonly requireInvite: boolean; readonly requireTokenExchange: boolean }
  /** Whether shares from this host need no accepting. */
  isAutoAccepted(host: string): boolean
  /** Whether a user knows this person. */
  isContact(userId: string, address: OcmAddress): Promise<boolean>
  /** Told of a share that has just got its place among a user's; must neither wait nor fail. */
  onAccepted?(id: string): void
  /** A user who may log in, by name. */
  findRecipient(username: string): Promise<User | undefined>
  /** What a user has already where shares are put, whatever it is. */
  listOwnNames(username: string): Promise<readonly string[]>
  /** Asks the sender of an accepted share whether it opens, and writes down what is wrong. */
  tryAccess(id: string): Promise<void>
  /** Offers without an answer. */
  maxPending: { readonly perUser: number; readonly perPeer: number }
  /** `host[:port]` of this server. */
  authority: string
  /** Senders may be on plain http (dev only). */
  allowHttp: boolean
}

/** What is owed to the sender of a share; some peers believe it only with the secret. */
export const owe = (
  outbox: IncomingSharesDeps['outbox'],
  { id, senderHost, providerId, resourceType }: NewIncomingShare,
  type: 'SHARE_ACCEPTED' | 'SHARE_DECLINED',
  secret: string | undefined,
): ((tx: Transaction) => Promise<void>) =>
  outbox.prepare({
    peer: senderHost,
    subject: id,
    message: {
      kind: 'notification',
      type,
      providerId,
      resourceType,
      ...(secret !== undefined && { secret }),
    },
  })
