import { and, asc, desc, eq, gt, isNull, lte } from 'drizzle-orm'
import { contacts, deleteSome, invites, users, type Reader, type Transaction } from '../db/index.ts'

export type InviteRow = typeof invites.$inferSelect
export type ContactRow = typeof contacts.$inferSelect

/** An invite with the name of who gave it. */
export interface OwnedInvite extends InviteRow {
  readonly username: string
}

const ownedInvites = (db: Reader) =>
  db
    .select({ invite: invites, user: users })
    .from(invites)
    .innerJoin(users, eq(users.id, invites.userId))

export async function selectInvites(db: Reader, userId?: string): Promise<OwnedInvite[]> {
  const rows = await ownedInvites(db)
    .where(userId === undefined ? undefined : eq(invites.userId, userId))
    .orderBy(desc(invites.createdAt), invites.id)
  return rows.map(({ invite, user }) => ({ ...invite, username: user.username }))
}

export async function findInvite(db: Reader, id: string): Promise<OwnedInvite | undefined> {
  const [row] = await ownedInvites(db).where(eq(invites.id, id))
  return row && { ...row.invite, username: row.user.username }
}

/** By the hash of its token, with who gave it. */
export async function findGivenInvite(db: Reader, tokenHash: string) {
  const [row] = await ownedInvites(db).where(eq(invites.tokenHash, tokenHash))
  return row
}

/** Uses index invites_user. */
export const countOpenInvites = (db: Reader, userId: string, now: number): Promise<number> =>
  db.$count(
    invites,
    and(
      eq(invites.userId, userId),
      gt(invites.expiresAt, now),
      isNull(invites.acceptedAt),
      isNull(invites.revokedAt),
    ),
  )

export async function insertInvite(
  db: Transaction,
  row: typeof invites.$inferInsert,
): Promise<void> {
  await db.insert(invites).values(row)
}

export async function updateInvite(
  db: Transaction,
  id: string,
  change: Partial<Pick<InviteRow, 'acceptedBy' | 'acceptedAt' | 'revokedAt'>>,
): Promise<void> {
  await db
    .update(invites)
    .set(change)
    .where(and(eq(invites.id, id), isNull(invites.acceptedAt)))
}

/** Drops invites that expired before an instant, used or not. Uses index invites_expiry. */
export const deleteExpiredInvites = (
  db: Transaction,
  before: number,
  limit: number,
): Promise<number> => deleteSome(db, invites.id, lte(invites.expiresAt, before), limit)

export async function selectContacts(db: Reader, userId: string): Promise<ContactRow[]> {
  return db
    .select()
    .from(contacts)
    .where(eq(contacts.userId, userId))
    .orderBy(asc(contacts.host), asc(contacts.identifier))
}

const isThe = (userId: string, host: string, identifier: string) =>
  and(eq(contacts.userId, userId), eq(contacts.host, host), eq(contacts.identifier, identifier))

/** Hot: every share a server that wants invites is offered. Uses contacts_user_host_identifier. */
export async function findContact(
  db: Reader,
  userId: string,
  host: string,
  identifier: string,
): Promise<ContactRow | undefined> {
  const rows = await db
    .select()
    .from(contacts)
    .where(isThe(userId, host, identifier))
  return rows[0]
}

/** Inserts, or takes over what the person is called now. */
export async function upsertContact(
  db: Transaction,
  row: typeof contacts.$inferInsert,
): Promise<void> {
  const { name, email } = row
  await db
    .insert(contacts)
    .values(row)
    .onConflictDoUpdate({
      target: [contacts.userId, contacts.host, contacts.identifier],
      set: { name, email },
    })
}

/** Whether there was one. */
export async function deleteContact(
  db: Transaction,
  userId: string,
  host: string,
  identifier: string,
): Promise<boolean> {
  const rows = await db
    .delete(contacts)
    .where(isThe(userId, host, identifier))
    .returning({ id: contacts.id })
  return rows.length > 0
}
