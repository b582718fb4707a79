import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

export const users = sqliteTable('users', {
  id: text('id').primaryKey(),
  username: text('username').notNull().unique(),
  displayName: text('display_name').notNull(),
  email: text('email'),
  /** Absolute folder of the user's own files. */
  home: text('home').notNull(),
  createdAt: integer('created_at').notNull(),
  disabledAt: integer('disabled_at'),
})

export const appPasswords = sqliteTable(
  'app_passwords',
  {
    id: text('id').primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    label: text('label').notNull(),
    /** `generated`: SHA-256 of ≥ 128 random bits; `chosen`: argon2id of a person's password. */
    kind: text('kind', { enum: ['generated', 'chosen'] }).notNull(),
    hash: text('hash').notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at'),
  },
  (table) => [
    uniqueIndex('app_passwords_user_hash').on(table.userId, table.hash),
    index('app_passwords_user_kind').on(table.userId, table.kind),
  ],
)

export const loginFailures = sqliteTable(
  'login_failures',
  {
    /** SHA-256 of user name and client address. */
    key: text('key').primaryKey(),
    failures: integer('failures').notNull(),
    windowEndsAt: integer('window_ends_at').notNull(),
  },
  (table) => [index('login_failures_window').on(table.windowEndsAt)],
)
