import { and, eq, gt, inArray, isNull, lte, or, sql } from 'drizzle-orm'
import {
  appPasswords,
  deleteSome,
  loginFailures,
  users,
  type Database,
  type Reader,
  type Transaction,
} from '../db/index.ts'

export type UserRow = typeof users.$inferSelect
export type AppPasswordRow = typeof appPasswords.$inferSelect

export async function findUserByName(db: Reader, username: string): Promise<UserRow | undefined> {
  const rows = await db.select().from(users).where(eq(users.username, username))
  return rows[0]
}

/** Names that differ only in case would share a home folder on some file systems. */
export async function findUserByAnyCase(
  db: Reader,
  username: string,
): Promise<UserRow | undefined> {
  const rows = await db
    .select()
    .from(users)
    .where(eq(sql`lower(${users.username})`, username.toLowerCase()))
  return rows[0]
}

export async function findUserById(db: Reader, id: string): Promise<UserRow | undefined> {
  const rows = await db.select().from(users).where(eq(users.id, id))
  return rows[0]
}

export async function selectUsers(db: Reader): Promise<UserRow[]> {
  return db.select().from(users).orderBy(users.username)
}

export async function countUsers(db: Reader): Promise<number> {
  return db.$count(users)
}

export async function insertUser(db: Transaction, row: typeof users.$inferInsert): Promise<void> {
  await db.insert(users).values(row)
}

export async function updateUser(
  db: Transaction,
  id: string,
  change: Partial<Pick<UserRow, 'disabledAt'>>,
): Promise<void> {
  await db.update(users).set(change).where(eq(users.id, id))
}

export async function deleteUser(db: Transaction, id: string): Promise<void> {
  await db.delete(users).where(eq(users.id, id))
}

export async function insertAppPassword(
  db: Transaction,
  row: typeof appPasswords.$inferInsert,
): Promise<void> {
  await db.insert(appPasswords).values(row)
}

export async function selectAppPasswords(db: Reader, userId: string): Promise<AppPasswordRow[]> {
  return db
    .select()
    .from(appPasswords)
    .where(eq(appPasswords.userId, userId))
    .orderBy(appPasswords.createdAt, appPasswords.id)
}

export async function deleteAppPassword(
  db: Transaction,
  userId: string,
  id: string,
): Promise<boolean> {
  const gone = await db
    .delete(appPasswords)
    .where(and(eq(appPasswords.userId, userId), eq(appPasswords.id, id)))
    .returning({ id: appPasswords.id })
  return gone.length > 0
}

/** A person has one chosen password at most; choosing another ends the first. */
export async function deleteChosenPassword(db: Transaction, userId: string): Promise<void> {
  await db
    .delete(appPasswords)
    .where(and(eq(appPasswords.userId, userId), eq(appPasswords.kind, 'chosen')))
}

/** Hot: every Basic request. Uses index users_username_unique, then app_passwords_user_hash. */
export const prepareFindLogin = (db: Database) =>
  db
    .select({ id: users.id, username: users.username })
    .from(users)
    .innerJoin(appPasswords, eq(appPasswords.userId, users.id))
    .where(
      and(
        eq(users.username, sql.placeholder('username')),
        eq(appPasswords.hash, sql.placeholder('hash')),
        eq(appPasswords.kind, 'generated'),
        isNull(users.disabledAt),
        or(isNull(appPasswords.expiresAt), gt(appPasswords.expiresAt, sql.placeholder('now'))),
      ),
    )
    .prepare()

/** The argon2id hash of the password a person chose. Uses index app_passwords_user_kind. */
export async function findChosenPassword(
  db: Reader,
  username: string,
): Promise<{ id: string; username: string; hash: string } | undefined> {
  const rows = await db
    .select({ id: users.id, username: users.username, hash: appPasswords.hash })
    .from(users)
    .innerJoin(appPasswords, eq(appPasswords.userId, users.id))
    .where(
      and(eq(users.username, username), eq(appPasswords.kind, 'chosen'), isNull(users.disabledAt)),
    )
  return rows[0]
}

/** Hot: every Basic request. Uses the primary key, twice. */
export const prepareFindFailures = (db: Database) =>
  db
    .select()
    .from(loginFailures)
    .where(
      and(
        inArray(loginFailures.key, [sql.placeholder('own'), sql.placeholder('address')]),
        gt(loginFailures.windowEndsAt, sql.placeholder('now')),
        lte(loginFailures.windowEndsAt, sql.placeholder('latest')),
      ),
    )
    .prepare()

/**
 * Counts one more, beginning a new window when the last has ended or ends later than any. Returns how
 * many there are.
 */
export async function recordFailure(
  db: Transaction,
  key: string,
  now: number,
  { windowEndsAt, latest }: { windowEndsAt: number; latest: number },
): Promise<number> {
  const isLost = and(eq(loginFailures.key, key), gt(loginFailures.windowEndsAt, latest))
  await db.delete(loginFailures).where(or(lte(loginFailures.windowEndsAt, now), isLost))
  const [row] = await db
    .insert(loginFailures)
    .values({ key, failures: 1, windowEndsAt })
    .onConflictDoUpdate({
      target: loginFailures.key,
      set: { failures: sql`${loginFailures.failures} + 1` },
    })
    .returning({ failures: loginFailures.failures })
  return row?.failures ?? 1
}

/** Drops windows that have ended, at most `limit`. Uses index login_failures_window. */
export const deleteOldFailures = (db: Transaction, now: number, limit: number): Promise<number> =>
  deleteSome(db, loginFailures.key, lte(loginFailures.windowEndsAt, now), limit)

export async function extendFailures(
  db: Transaction,
  key: string,
  windowEndsAt: number,
): Promise<void> {
  await db.update(loginFailures).set({ windowEndsAt }).where(eq(loginFailures.key, key))
}

export async function deleteFailures(db: Transaction, keys: readonly string[]): Promise<void> {
  await db.delete(loginFailures).where(inArray(loginFailures.key, [...keys]))
}
