import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, or, sql } from 'drizzle-orm'
import {
  incomingShares,
  users,
  type Database,
  type Reader,
  type Transaction,
} from '../../db/index.ts'

export type IncomingShareRow = typeof incomingShares.$inferSelect
export type NewIncomingShare = typeof incomingShares.$inferInsert

/** A share with the name of whom it is for. */
export interface AddressedShare {
  row: IncomingShareRow
  user: string
}

const addressed = (db: Reader) =>
  db
    .select({ row: incomingShares, user: users.username })
    .from(incomingShares)
    .innerJoin(users, eq(users.id, incomingShares.userId))

export async function selectIncoming(db: Reader, user?: string): Promise<AddressedShare[]> {
  const mine = user === undefined ? undefined : eq(users.username, user)
  return addressed(db).where(mine).orderBy(desc(incomingShares.createdAt), incomingShares.id)
}

export async function findIncoming(db: Reader, id: string): Promise<AddressedShare | undefined> {
  const rows = await addressed(db).where(eq(incomingShares.id, id))
  return rows[0]
}

/** Hot: every path below the folder of shares. Uses index incoming_shares_mount. */
export async function findMounted(
  db: Reader,
  userId: string,
  mountName: string,
): Promise<AddressedShare | undefined> {
  const rows = await addressed(db).where(
    and(eq(incomingShares.userId, userId), eq(incomingShares.mountName, mountName)),
  )
  return rows[0]
}

/** Hot: every notification. Uses index incoming_shares_provider, or _sender_provider_user with a host. */
export const selectOffers = (
  db: Reader,
  providerId: string,
  senderHost?: string,
): Promise<IncomingShareRow[]> =>
  db
    .select()
    .from(incomingShares)
    .where(
      and(
        eq(incomingShares.providerId, providerId),
        senderHost === undefined ? undefined : eq(incomingShares.senderHost, senderHost),
      ),
    )

/** Hot: every offer. Uses index incoming_shares_sender_provider_user. */
export async function findOffer(
  db: Reader,
  {
    senderHost,
    providerId,
    userId,
  }: Pick<NewIncomingShare, 'senderHost' | 'providerId' | 'userId'>,
): Promise<IncomingShareRow | undefined> {
  const rows = await db
    .select()
    .from(incomingShares)
    .where(
      and(
        eq(incomingShares.senderHost, senderHost),
        eq(incomingShares.providerId, providerId),
        eq(incomingShares.userId, userId),
      ),
    )
  return rows[0]
}

/**
 * Living offers that wait for an answer. Uses indexes incoming_shares_user and
 * incoming_shares_sender_provider_user.
 */
export async function countPending(
  db: Reader,
  { userId, senderHost }: Pick<NewIncomingShare, 'userId' | 'senderHost'>,
  now: number,
): Promise<{ ofUser: number; ofPeer: number }> {
  const isPending = and(
    eq(incomingShares.state, 'pending'),
    or(isNull(incomingShares.expiresAt), gt(incomingShares.expiresAt, now)),
  )
  const ofUser = await db.$count(incomingShares, and(eq(incomingShares.userId, userId), isPending))
  const ofPeer = await db.$count(
    incomingShares,
    and(eq(incomingShares.senderHost, senderHost), isPending),
  )
  return { ofUser, ofPeer }
}

export async function insertIncoming(db: Transaction, row: NewIncomingShare): Promise<void> {
  await db.insert(incomingShares).values(row)
}

export async function updateIncoming(
  db: Transaction,
  ids: readonly string[],
  change: Partial<Omit<IncomingShareRow, 'id'>>,
): Promise<void> {
  await db
    .update(incomingShares)
    .set(change)
    .where(inArray(incomingShares.id, [...ids]))
}

/** What stands in the user's folder of shares. Uses index incoming_shares_mount. */
export async function selectMountNames(db: Reader, userId: string): Promise<string[]> {
  const rows = await db
    .select({ mountName: incomingShares.mountName })
    .from(incomingShares)
    .where(and(eq(incomingShares.userId, userId), isNotNull(incomingShares.mountName)))
  return rows.flatMap(({ mountName }) => mountName ?? [])
}

/** What stands there, for every look into it. Uses index incoming_shares_mount. */
export const prepareSelectMounts = (db: Database) =>
  db
    .select({
      id: incomingShares.id,
      userId: incomingShares.userId,
      mountName: incomingShares.mountName,
      senderHost: incomingShares.senderHost,
      sender: incomingShares.sender,
      resourceType: incomingShares.resourceType,
      permissions: incomingShares.permissions,
      createdAt: incomingShares.createdAt,
      respondedAt: incomingShares.respondedAt,
      expiresAt: incomingShares.expiresAt,
      seen: incomingShares.seen,
    })
    .from(incomingShares)
    .where(
      and(
        eq(incomingShares.userId, sql.placeholder('userId')),
        isNotNull(incomingShares.mountName),
      ),
    )
    .orderBy(asc(incomingShares.mountName))
    .prepare()

export type MountRow = Awaited<
  ReturnType<ReturnType<typeof prepareSelectMounts>['execute']>
>[number]
