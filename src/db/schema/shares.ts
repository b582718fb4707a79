import {
  blob,
  index,
  integer,
  sqliteTable,
  text,
  type AnySQLiteColumn,
} from 'drizzle-orm/sqlite-core'
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
    state: text('state', {
      enum: ['pending', 'sent', 'accepted', 'declined', 'failed', 'revoked'],
    }).notNull(),
    /** Why sending failed, in words for the operator. */
    problem: text('problem'),
    /** The payload shape the peer took. */
    payloadShape: text('payload_shape', { enum: ['multi', 'strict', 'classic'] }),
    createdAt: integer('created_at').notNull(),
    sentAt: integer('sent_at'),
    expiresAt: integer('expires_at'),
    revokedAt: integer('revoked_at'),
    /** When the recipient accepted or declined. */
    respondedAt: integer('responded_at'),
    /** The share this one passes on: it ends with it. */
    parentId: text('parent_id').references((): AnySQLiteColumn => outgoingShares.id, {
      onDelete: 'cascade',
    }),
    /** OCM address of the recipient who passed it on; null for a share of the owner's own. */
    resharedBy: text('reshared_by'),
    /** What the one who passed it on may undo it with; opens nothing. */
    sealedUndoToken: blob('sealed_undo_token', { mode: 'buffer' }),
  },
  (table) => [
    index('outgoing_shares_owner').on(table.ownerId, table.createdAt),
    index('outgoing_shares_parent').on(table.parentId, table.recipient),
    index('outgoing_shares_host').on(table.recipientHost),
  ],
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
    /** While it must still be sent: in the notice, or in a notification to a peer that asks for it. */
    sealedSecret: blob('sealed_secret', { mode: 'buffer' }),
    createdAt: integer('created_at').notNull(),
    revokedAt: integer('revoked_at'),
  },
  (table) => [index('refresh_tokens_share').on(table.shareId)],
)
