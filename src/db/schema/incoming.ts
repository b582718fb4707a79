import { blob, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { users } from './users.ts'

/** The root of a share at its sender. */
export interface SeenRoot {
  readonly kind: 'file' | 'directory'
  readonly size: number
  /** Epoch milliseconds. */
  readonly modifiedAt: number
  readonly etag: string
}

/** What others share with our users. A row stays when the share ends, so that a late repeat finds it. */
export const incomingShares = sqliteTable(
  'incoming_shares',
  {
    /** `rcv-` and 22 letters and digits. */
    id: text('id').primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** Normalised `host[:port]` of the sender. */
    senderHost: text('sender_host').notNull(),
    /** The sender's id of the share, as it came. */
    providerId: text('provider_id').notNull(),
    /** OCM addresses. */
    sender: text('sender').notNull(),
    owner: text('owner').notNull(),
    senderName: text('sender_name'),
    ownerName: text('owner_name'),
    name: text('name').notNull(),
    resourceType: text('resource_type', { enum: ['file', 'folder'] }).notNull(),
    /** Null: the sender did not say; its WebDAV does. */
    permissions: text('permissions', { mode: 'json' }).$type<('read' | 'write' | 'share')[]>(),
    /** Only access tokens open it. */
    strict: integer('strict', { mode: 'boolean' }).notNull(),
    /** `named`: Bearer; `options`: the old form, Basic. */
    form: text('form', { enum: ['named', 'options'] }).notNull(),
    /** An absolute URL on the sender's authority, or an id below its WebDAV root; null: the root itself. */
    uri: text('uri'),
    /** JSON of the refresh token and, where it differs, the exchange code; null once the share has ended. */
    sealedSecret: blob('sealed_secret', { mode: 'buffer' }),
    /** SHA-256 of everything above that a repeat must not change; the secret is compared by itself. */
    contentHash: text('content_hash').notNull(),
    /** `revoked`: its sender takes our refresh token no more, yet never said that it ended. */
    state: text('state', {
      enum: ['pending', 'accepted', 'revoked', 'declined', 'removed'],
    }).notNull(),
    /** Whether the sender took it back, as opposed to our user. */
    endedBy: text('ended_by', { enum: ['sender', 'recipient'] }),
    /** The name in the user's folder of shares, from acceptance on. */
    mountName: text('mount_name'),
    /** What is wrong with it, in words for its user. */
    problem: text('problem'),
    problemAt: integer('problem_at'),
    createdAt: integer('created_at').notNull(),
    respondedAt: integer('responded_at'),
    endedAt: integer('ended_at'),
    expiresAt: integer('expires_at'),
    /** What opened it last: an exchanged token, the secret as Bearer or as Basic; null: not known. */
    authMode: text('auth_mode', { enum: ['exchange', 'bearer', 'basic'] }),
    sealedAccessToken: blob('sealed_access_token', { mode: 'buffer' }),
    accessTokenIssuedAt: integer('access_token_issued_at'),
    accessTokenExpiresAt: integer('access_token_expires_at'),
    /** Which process exchanges the refresh token just now, and until when that is its business. */
    refreshLeaseHolder: text('refresh_lease_holder'),
    refreshLeaseUntil: integer('refresh_lease_until'),
    /** After a failure that needs somebody's attention: nobody calls the sender before. */
    accessRetryAt: integer('access_retry_at'),
    /** What stood at its root when that was last seen; null: never seen. */
    seen: text('seen', { mode: 'json' }).$type<SeenRoot>(),
  },
  (table) => [
    uniqueIndex('incoming_shares_sender_provider_user').on(
      table.senderHost,
      table.providerId,
      table.userId,
    ),
    index('incoming_shares_provider').on(table.providerId),
    index('incoming_shares_user').on(table.userId, table.createdAt),
    uniqueIndex('incoming_shares_mount').on(table.userId, table.mountName),
  ],
)

/** What our users asked the owners of incoming shares to share on. */
export const reshares = sqliteTable(
  'reshares',
  {
    /** `rsh-` and 22 letters and digits. */
    id: text('id').primaryKey(),
    incomingShareId: text('incoming_share_id')
      .notNull()
      .references(() => incomingShares.id, { onDelete: 'cascade' }),
    /** OCM address. */
    recipient: text('recipient').notNull(),
    state: text('state', { enum: ['requested', 'granted', 'refused', 'undone'] }).notNull(),
    /** The owner's id of the new share. */
    providerId: text('provider_id'),
    /** What the owner's server gave us to undo it with. */
    sealedToken: blob('sealed_token', { mode: 'buffer' }),
    problem: text('problem'),
    createdAt: integer('created_at').notNull(),
    endedAt: integer('ended_at'),
  },
  (table) => [index('reshares_incoming').on(table.incomingShareId, table.recipient)],
)
