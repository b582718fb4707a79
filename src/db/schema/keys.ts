import { blob, index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const signingKeys = sqliteTable(
  'signing_keys',
  {
    /** Absolute URL with a fragment. */
    kid: text('kid').primaryKey(),
    alg: text('alg', { enum: ['Ed25519', 'ES256'] }).notNull(),
    publicJwk: text('public_jwk', { mode: 'json' }).$type<Record<string, unknown>>().notNull(),
    sealedPrivateJwk: blob('sealed_private_jwk', { mode: 'buffer' }).notNull(),
    state: text('state', { enum: ['staged', 'active', 'retiring', 'retired'] }).notNull(),
    createdAt: integer('created_at').notNull(),
    activatedAt: integer('activated_at'),
    retiringAt: integer('retiring_at'),
    retiredAt: integer('retired_at'),
    /** When a rotation takes its next step with it: a staged key signs, a retiring one is retired. */
    dueAt: integer('due_at'),
  },
  (table) => [index('signing_keys_state').on(table.state)],
)

/** RSA keys for draft-cavage signatures; in discovery as `publicKey`, never in the JWK Set. */
export const legacyKeys = sqliteTable('legacy_keys', {
  /** `<endPoint>#signature`: another publicUrl is another key. */
  kid: text('kid').primaryKey(),
  publicPem: text('public_pem').notNull(),
  sealedPrivatePem: blob('sealed_private_pem', { mode: 'buffer' }).notNull(),
  createdAt: integer('created_at').notNull(),
})
