import { and, eq, gte, inArray, lt, or, sql, type SQL } from 'drizzle-orm'
import { deadProperties, type Database, type Reader, type Transaction } from '../../db/index.ts'
import { endOf, lengthOf, parentOf } from '../path-text.ts'

export type PropertyRow = typeof deadProperties.$inferSelect

/** Hot: every listing and every new file. Uses the primary key. */
export const prepareHasProperties = (db: Database) =>
  db
    .select({ one: sql<number>`1` })
    .from(deadProperties)
    .where(eq(deadProperties.treeId, sql.placeholder('treeId')))
    .limit(1)
    .prepare()

/** How many a tree has, and the bytes of their values. Uses the primary key. */
export async function measureProperties(
  db: Reader,
  treeId: string,
): Promise<{ count: number; bytes: number }> {
  const [row] = await db
    .select({
      count: sql<number>`count(*)`,
      bytes: sql<number>`coalesce(sum(octet_length(${deadProperties.value})), 0)`,
    })
    .from(deadProperties)
    .where(eq(deadProperties.treeId, treeId))
  return row ?? { count: 0, bytes: 0 }
}

const at = (treeId: string, path: string): SQL | undefined =>
  and(eq(deadProperties.treeId, treeId), eq(deadProperties.path, path))

/** A path and everything below it, as a range of the primary key. */
const within = (treeId: string, path: string): SQL | undefined =>
  and(
    eq(deadProperties.treeId, treeId),
    gte(deadProperties.path, path),
    lt(deadProperties.path, endOf(path)),
  )

const named = (names: readonly string[] | undefined): SQL | undefined =>
  names && inArray(deadProperties.name, [...names])

/** What has properties in a tree. Uses the primary key. */
export const selectPropertyPaths = (db: Reader, treeId: string): Promise<{ path: string }[]> =>
  db
    .select({ path: deadProperties.path })
    .from(deadProperties)
    .where(eq(deadProperties.treeId, treeId))
    .groupBy(deadProperties.path)

/** Of one resource. Uses the primary key. */
export const selectProperties = (
  db: Reader,
  treeId: string,
  path: string,
  names?: readonly string[],
): Promise<PropertyRow[]> =>
  db
    .select()
    .from(deadProperties)
    .where(and(at(treeId, path), named(names)))

/** Of a directory and its members. Uses the primary key and index dead_properties_parent. */
export const selectListing = (
  db: Reader,
  treeId: string,
  path: string,
  names?: readonly string[],
): Promise<PropertyRow[]> =>
  db
    .select()
    .from(deadProperties)
    .where(
      and(
        eq(deadProperties.treeId, treeId),
        or(eq(deadProperties.path, path), eq(deadProperties.parent, path)),
        named(names),
      ),
    )

export async function upsertProperty(db: Transaction, row: PropertyRow): Promise<void> {
  const { treeId, path, namespace, name } = deadProperties
  await db
    .insert(deadProperties)
    .values(row)
    .onConflictDoUpdate({ target: [treeId, path, namespace, name], set: { value: row.value } })
}

export async function deleteProperty(
  db: Transaction,
  row: Pick<PropertyRow, 'treeId' | 'path' | 'namespace' | 'name'>,
): Promise<void> {
  const { treeId, path, namespace, name } = row
  const isNamed = and(eq(deadProperties.namespace, namespace), eq(deadProperties.name, name))
  await db.delete(deadProperties).where(and(at(treeId, path), isNamed))
}

export async function deletePropertiesWithin(
  db: Transaction,
  treeId: string,
  path: string,
): Promise<void> {
  await db.delete(deadProperties).where(within(treeId, path))
}

/** The path that a row has once `from` has become `to`. */
const moved = (from: string, to: string) => ({
  path: sql<string>`${to} || substr(${deadProperties.path}, ${lengthOf(from) + 1})`,
  // What is right in `from` stays right in it; `from` itself is in another directory now.
  parent: sql<string>`case when ${deadProperties.path} = ${from} then ${parentOf(to)}
    else ${to} || substr(${deadProperties.parent}, ${lengthOf(from) + 1}) end`,
})

export async function moveProperties(
  db: Transaction,
  treeId: string,
  from: string,
  to: string,
): Promise<void> {
  await db.update(deadProperties).set(moved(from, to)).where(within(treeId, from))
}

export async function copyProperties(
  db: Transaction,
  treeId: string,
  from: string,
  to: string,
  shallow: boolean,
): Promise<void> {
  const { namespace, name, value } = deadProperties
  const { path, parent } = moved(from, to)
  await db.insert(deadProperties).select(
    db
      .select({
        treeId: deadProperties.treeId,
        path: path.as('path'),
        parent: parent.as('parent'),
        namespace,
        name,
        value,
      })
      .from(deadProperties)
      .where(shallow ? at(treeId, from) : within(treeId, from)),
  )
}
