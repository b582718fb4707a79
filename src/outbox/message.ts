import type { Transaction } from '../db/index.ts'

/** What we owe a peer; how it is spelled on the wire is for who delivers it. */
export type OutboxMessage =
  /** The secret stays with the share. */
  | { readonly kind: 'share'; readonly shareId: string }
  | {
      readonly kind: 'notification'
      readonly type: 'SHARE_ACCEPTED' | 'SHARE_DECLINED' | 'SHARE_UNSHARED' | 'RESHARE_UNDO'
      readonly providerId: string
      readonly resourceType: 'file' | 'folder'
      readonly secret?: string
      /** Until then a lost notice of the share may still reach a peer that does not know it yet. */
      readonly mayArriveUntil?: number
    }
  | { readonly kind: 'reshare'; readonly reshareId: string }

export type MessageOf<Kind extends OutboxMessage['kind']> = Extract<OutboxMessage, { kind: Kind }>

export interface NewEntry {
  /** Normalised `host[:port]`. */
  readonly peer: string
  /** The id of the share, incoming share or reshare it is about: one at a time, in order. */
  readonly subject: string
  readonly message: OutboxMessage
  /** The peer may know it already, from before it was in here. */
  readonly mayHaveArrived?: boolean
}

/** `record` runs in the transaction that settles the entry, so that effect and entry cannot part. */
export type DeliveryOutcome =
  | { readonly status: 'delivered'; record?(tx: Transaction): Promise<void> }
  /** A final no. */
  | { readonly status: 'refused'; readonly reason: string; record?(tx: Transaction): Promise<void> }
  | {
      readonly status: 'later'
      readonly reason: string
      readonly retryAfterSeconds?: number
      /** Nothing left this server, so it does not count as an attempt. */
      readonly untried?: boolean
      record?(tx: Transaction): Promise<void>
    }

/** Tries once; may be called again after a crash, so it has to be idempotent. */
export type Deliver<Kind extends OutboxMessage['kind']> = (
  message: MessageOf<Kind>,
  attempt: Attempt,
) => Promise<DeliveryOutcome>

export interface Attempt {
  readonly peer: string
  /** With this one: more than 1 means that the peer may know the message. */
  readonly attempts: number
  /** "Later" would be never. */
  readonly isLast: boolean
}

/** Who delivers what. */
export type OutboxHandlers = { readonly [Kind in OutboxMessage['kind']]?: Deliver<Kind> }
