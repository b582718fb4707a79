import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { outgoingShares } from './shares.ts'
import { users } from './users.ts'

/** The tree is its owner's, however it is reached; paths are `/`, `/a/`, `/a/b/` from its root. */
const place = () => ({
  treeId: text('tree_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' }),
  path: text('path').notNull(),
})

/** Write locks (RFC 4918 §7). A token is no secret: it works for its holder alone. */
export const locks = sqliteTable(
  'locks',
  {
    /** `urn:uuid:…` */
    token: text('token').primaryKey(),
    ...place(),
    scope: text('scope', { enum: ['exclusive', 'shared'] }).notNull(),
    depth: text('depth', { enum: ['0', 'infinity'] }).notNull(),
    /** The principal that took it. */
    holder: text('holder').notNull(),
    /** The share it was taken through: it ends with the share. */
    shareId: text('share_id').references(() => outgoingShares.id, { onDelete: 'cascade' }),
    /** What the client says of whoever holds it: a `DAV:owner` element, or ''. */
    owner: text('owner').notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
  },
  (table) => [
    index('locks_tree_path').on(table.treeId, table.path),
    index('locks_tree_expiry').on(table.treeId, table.expiresAt),
    index('locks_expiry').on(table.expiresAt),
  ],
)

/** Properties that only clients give a meaning (RFC 4918 §4). */
export const deadProperties = sqliteTable(
  'dead_properties',
  {
    ...place(),
    /** The path of the directory it is in, so that a listing is one look-up. */
    parent: text('parent').notNull(),
    /** '' for a name in no namespace. */
    namespace: text('namespace').notNull(),
    name: text('name').notNull(),
    /** The whole element, with every namespace it needs. */
    value: text('value').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.treeId, table.path, table.namespace, table.name] }),
    index('dead_properties_parent').on(table.treeId, table.parent),
  ],
)

/** Removals, moves and copies that have begun and whose properties and locks have not followed yet. */
export const resourceChanges = sqliteTable('resource_changes', {
  id: text('id').primaryKey(),
  treeId: place().treeId,
  kind: text('kind', { enum: ['remove', 'move', 'copy'] }).notNull(),
  source: text('source').notNull(),
  /** Where it leads; for a removal the source again. */
  target: text('target').notNull(),
  shallow: integer('shallow', { mode: 'boolean' }).notNull(),
  /** The entity tag of what stood at the target before, if anything did. */
  targetEtag: text('target_etag'),
  createdAt: integer('created_at').notNull(),
  /** The process that is at it; whoever finds that it has died settles the rest. */
  runId: text('run_id'),
})
