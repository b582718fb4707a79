import { blob, index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { users } from './users.ts'

export const outgoingShares = sqliteTable(
  'outgoing_shares',
  {
    /** Also the `providerId` on the wire. */
    id: text('id').primaryKey(),
    ownerId: text('owner_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** Decoded segments in the owner's tree. */
    path: text('path', { mode: 'json' }).$type<string[]>().notNull(),
    resourceType: text('resource_type', { enum: ['file', 'folder'] }).notNull(),
    name: text('name').notNull(),
    /** OCM address. */
    recipient: text('recipient').notNull(),
    /** Normalised `host[:port]` of the recipient. */
    recipientHost: text('recipient_host').notNull(),
    permissions: text('permissions', { mode: 'json' })
      .$type<('read' | 'write' | 'share')[]>()
      .notNull(),
    strict: integer('strict', { mode: 'boolean' }).notNull(),
    state: text('state', { enum: ['pending', 'sent', 'failed', 'revoked'] }).notNull(),
    /** Why sending failed, in words for the operator. */
    problem: text('problem'),
    /** The payload shape the peer took. */
    payloadShape: text('payload_shape', { enum: ['multi', 'strict', 'classic'] }),
    createdAt: integer('created_at').notNull(),
    sentAt: integer('sent_at'),
    expiresAt: integer('expires_at'),
    revokedAt: integer('revoked_at'),
  },
  (table) => [index('outgoing_shares_owner').on(table.ownerId, table.createdAt)],
)

export const refreshTokens = sqliteTable(
  'refresh_tokens',
  {
    id: text('id').primaryKey(),
    shareId: text('share_id')
      .notNull()
      .references(() => outgoingShares.id, { onDelete: 'cascade' }),
    /** SHA-256, base64url. */
    secretHash: text('secret_hash').notNull().unique(),
    /** Only while it must still be sent. */
    sealedSecret: blob('sealed_secret', { mode: 'buffer' }),
    createdAt: integer('created_at').notNull(),
    revokedAt: integer('revoked_at'),
  },
  (table) => [index('refresh_tokens_share').on(table.shareId)],
)
