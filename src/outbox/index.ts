/** outbox: what we owe other servers, committed with its cause and delivered at least once. */
export type { Deliver, DeliveryOutcome, MessageOf, NewEntry, OutboxMessage } from './message.ts'
