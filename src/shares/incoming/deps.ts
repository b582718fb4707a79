import type { Clock, EventHub, Sealer } from '../../core/index.ts'
import type { Database, Transaction } from '../../db/index.ts'
import type { NewEntry } from '../../outbox/index.ts'
import type { OcmAddress, SenderCheck } from '../../peers/index.ts'
import type { User } from '../../users/index.ts'
import type { NewIncomingShare } from './queries.ts'

/** What receiving needs of the outbox. */
export interface OwedToSenders {
  /** Seals now; the returned function is called inside the causing transaction. */
  prepare(entry: NewEntry): (tx: Transaction) => Promise<void>
  /** Removes what is still waiting for a subject. */
  cancel(tx: Transaction, subject: string): Promise<unknown>
  /** Makes everything of a subject due, also what was refused. */
  retrySubject(subject: string): Promise<unknown>
  /** Everything due of one subject, now. */
  deliverNow(subject: string): Promise<void>
}

export interface IncomingSharesDeps {
  db: Database
  clock: Clock
  events: EventHub
  sealer: Sealer
  sender: SenderCheck
  outbox: OwedToSenders
  policy(): { readonly requireInvite: boolean; readonly requireTokenExchange: boolean }
  /** Whether shares from this host need no accepting. */
  isAutoAccepted(host: string): boolean
  /** Whether a user knows this person. */
  isContact(userId: string, address: OcmAddress): Promise<boolean>
  /** A user who may log in, by name. */
  findRecipient(username: string): Promise<User | undefined>
  /** `host[:port]` of this server. */
  authority: string
  /** Senders may be on plain http (dev only). */
  allowHttp: boolean
}

/** What is owed to the sender of a share; some peers believe it only with the secret. */
export const owe = (
  outbox: OwedToSenders,
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
