import { blob, index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

/** Everything we owe a peer. What was delivered is deleted. */
export const outbox = sqliteTable(
  'outbox',
  {
    /** The order of delivery within a subject. */
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    /** `obx-` and 22 letters and digits; also the idempotency key in our logs. */
    id: text('id').notNull().unique(),
    kind: text('kind', { enum: ['share', 'notification', 'reshare'] }).notNull(),
    /** Normalised `host[:port]`. */
    peer: text('peer').notNull(),
    /** The id of the share, incoming share or reshare it is about: one at a time, in order. */
    subject: text('subject').notNull(),
    /** What to show of it, e.g. `SHARE_ACCEPTED`; never a secret. */
    label: text('label').notNull(),
    /** JSON; may hold a secret. */
    sealedPayload: blob('sealed_payload', { mode: 'buffer' }).notNull(),
    state: text('state', { enum: ['waiting', 'refused'] }).notNull(),
    attempts: integer('attempts').notNull().default(0),
    nextAttemptAt: integer('next_attempt_at').notNull(),
    lastError: text('last_error'),
    /** Who is sending it now, and until when nobody else may. */
    leaseOwner: text('lease_owner'),
    leaseUntil: integer('lease_until'),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [
    index('outbox_due').on(table.state, table.nextAttemptAt, table.peer),
    index('outbox_peer').on(table.peer, table.state, table.nextAttemptAt),
    index('outbox_subject').on(table.subject, table.seq),
  ],
)
