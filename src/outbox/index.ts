/** outbox: what we owe other servers, committed with its cause and delivered at least once. */
export { judgeFailure, type FailedDelivery } from './judge-failure.ts'
export type {
  Attempt,
  Deliver,
  DeliveryOutcome,
  MessageOf,
  NewEntry,
  OutboxHandlers,
  OutboxMessage,
} from './message.ts'
export { createOutbox, type Outbox, type OutboxDeps, type OutboxEntry } from './outbox.ts'
