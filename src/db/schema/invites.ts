import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { users } from './users.ts'

/** Invites our users gave; each is used once. */
export const invites = sqliteTable(
  'invites',
  {
    /** `inv-` and 22 letters and digits. */
    id: text('id').primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** SHA-256, base64url. */
    tokenHash: text('token_hash').notNull().unique(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    /** OCM address of who used it; the same again is told the same again. */
    acceptedBy: text('accepted_by'),
    acceptedAt: integer('accepted_at'),
    revokedAt: integer('revoked_at'),
  },
  (table) => [
    index('invites_user').on(table.userId, table.createdAt),
    index('invites_expiry').on(table.expiresAt),
  ],
)

/** The people each user knows on other servers. */
export const contacts = sqliteTable(
  'contacts',
  {
    id: text('id').primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** Normalised `host[:port]`. */
    host: text('host').notNull(),
    /** Before the last `@`; compared byte for byte. */
    identifier: text('identifier').notNull(),
    name: text('name').notNull(),
    email: text('email'),
    /** `invited`: they used our invite; `accepted`: we used theirs. */
    source: text('source', { enum: ['invited', 'accepted'] }).notNull(),
    addedAt: integer('added_at').notNull(),
  },
  (table) => [
    uniqueIndex('contacts_user_host_identifier').on(table.userId, table.host, table.identifier),
  ],
)
