import { index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { signingKeys } from './keys.ts'
import { outgoingShares, refreshTokens } from './shares.ts'

/** The token map: each access token leads back to its refresh token and its share. */
export const accessTokens = sqliteTable(
  'access_tokens',
  {
    jti: text('jti').primaryKey(),
    refreshTokenId: text('refresh_token_id')
      .notNull()
      .references(() => refreshTokens.id, { onDelete: 'cascade' }),
    shareId: text('share_id')
      .notNull()
      .references(() => outgoingShares.id, { onDelete: 'cascade' }),
    clientId: text('client_id').notNull(),
    kid: text('kid')
      .notNull()
      .references(() => signingKeys.kid),
    issuedAt: integer('issued_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    revokedAt: integer('revoked_at'),
  },
  (table) => [
    index('access_tokens_refresh_expiry').on(table.refreshTokenId, table.expiresAt),
    index('access_tokens_share').on(table.shareId, table.issuedAt),
    index('access_tokens_kid').on(table.kid),
    index('access_tokens_expiry').on(table.expiresAt),
  ],
)
