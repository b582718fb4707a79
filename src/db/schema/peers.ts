import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'

export const peers = sqliteTable('peers', {
  /** Normalised `host[:port]`. */
  host: text('host').primaryKey(),
  /** The discovery document as last fetched. */
  discovery: text('discovery', { mode: 'json' }).$type<unknown>(),
  /** Where it was found. */
  discoveryUrl: text('discovery_url'),
  discoveredAt: integer('discovered_at'),
  jwks: text('jwks', { mode: 'json' }).$type<unknown>(),
  jwksFetchedAt: integer('jwks_fetched_at'),
  /** What was learnt about the peer from what worked, and since when (epoch milliseconds) nothing does. */
  profile: text('profile', { mode: 'json' })
    .$type<{ payloadShape?: 'multi' | 'strict' | 'classic'; failingSince?: number }>()
    .notNull()
    .default({}),
  lastOkAt: integer('last_ok_at'),
  lastError: text('last_error'),
  lastErrorAt: integer('last_error_at'),
  /** The operator's word (`davmesh peer allow|deny`), beside the lists of the configuration. */
  trust: text('trust', { enum: ['allowed', 'denied'] }),
  /** Failures in a row; the breaker opens at five. */
  failures: integer('failures').notNull().default(0),
  /** Nobody calls before this, and then one at a time. */
  restUntil: integer('rest_until'),
})
