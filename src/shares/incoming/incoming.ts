import { reach } from '../../core/index.ts'
import { inTransaction, type Transaction } from '../../db/index.ts'
import type { User } from '../../users/index.ts'
import { endReshares } from '../reshares/ending.ts'
import { tellSoon } from '../revocation.ts'
import { owe, type IncomingSharesDeps } from './deps.ts'
import { IncomingError } from './errors.ts'
import { withoutSecret, type IncomingShare } from './incoming-share.ts'
import { chooseMountName } from './mount-name.ts'
import { createMountRows } from './mounts.ts'
import {
  findIncoming,
  findMounted,
  selectIncoming,
  selectMountNames,
  selectOffers,
  updateIncoming,
  type AddressedShare,
  type IncomingShareRow,
} from './queries.ts'
import { createReceive } from './receive.ts'
import { openSecret, sameText } from './secret.ts'

export type IncomingShares = ReturnType<typeof createIncomingShares>

const forgotten = { problem: null, problemAt: null, accessRetryAt: null } as const

/** An ended share keeps its row, for late repeats, and nothing that opens anything. */
const ended = {
  sealedSecret: null,
  mountName: null,
  ...forgotten,
  authMode: null,
  sealedAccessToken: null,
  accessTokenIssuedAt: null,
  accessTokenExpiresAt: null,
  refreshLeaseHolder: null,
  refreshLeaseUntil: null,
  seen: null,
} as const

const isAlive = ({ state }: IncomingShareRow): boolean =>
  state === 'pending' || state === 'accepted' || state === 'revoked'

/** What others share with our users: received once, then accepted, declined or removed. */
export function createIncomingShares(deps: IncomingSharesDeps) {
  const { db, clock, events, sealer, outbox } = deps

  async function find(id: string): Promise<AddressedShare> {
    const found = await findIncoming(db, id)
    if (found !== undefined) return found
    throw new IncomingError('received_not_found', `There is no received share "${id}".`)
  }

  const get = async (id: string): Promise<IncomingShare> => withoutSecret(await find(id))

  /** The change, and what is owed for it, unless somebody else made the same one just now. */
  async function change(
    { row }: AddressedShare,
    wanted: IncomingShareRow['state'],
    work: (tx: Transaction) => Promise<void>,
    { waits = true } = {},
  ): Promise<IncomingShare> {
    await inTransaction(db, async (tx) => {
      const current = (await findIncoming(tx, row.id))?.row.state
      if (current === wanted && current !== row.state) return
      if (current !== row.state) {
        const message = `Received share "${row.id}" has just changed; look again.`
        throw new IncomingError('received_state', message)
      }
      await work(tx)
    })
    await reach('answer.committed')
    await (waits ? outbox.deliverNow(row.id) : tellSoon(outbox, [row.id]))
    return get(row.id)
  }

  function refuseState({ id, state }: IncomingShareRow, wanted: string): IncomingError {
    const message = `Received share "${id}" is ${state} and cannot be ${wanted}.`
    return new IncomingError('received_state', message)
  }

  const secretOf = (row: IncomingShareRow): string | undefined => openSecret(sealer, row)?.secret

  return {
    receive: createReceive(deps),

    ...createMountRows(deps),

    get,

    /** Newest first; ended ones too. */
    list: async (user?: string): Promise<IncomingShare[]> =>
      (await selectIncoming(db, user)).map(withoutSecret),

    /** Gives it a place among the user's shares; again is no change. */
    async accept(id: string): Promise<IncomingShare> {
      const found = await find(id)
      const { row } = found
      if (row.state === 'accepted') return withoutSecret(found)
      const now = clock.now()
      if (row.state !== 'pending') throw refuseState(row, 'accepted')
      if (row.expiresAt !== null && row.expiresAt <= now) {
        throw new IncomingError('received_state', `Received share "${id}" has expired.`)
      }
      const tell = owe(outbox, row, 'SHARE_ACCEPTED', secretOf(row))
      const own = await deps.listOwnNames(found.user)
      const share = await change(found, 'accepted', async (tx) => {
        const taken = [...own, ...(await selectMountNames(tx, row.userId))]
        const mountName = chooseMountName(row.name, row.resourceType, taken)
        await updateIncoming(tx, [id], { state: 'accepted', mountName, respondedAt: now })
        await tell(tx)
      })
      deps.onAccepted?.(id)
      return share
    },

    /**
     * Ends it, before or after acceptance, and tells the sender.
     *
     * @param options `waits: false` for whoever must not wait long for a sender that does not answer.
     */
    async decline(id: string, options: { waits?: boolean } = {}): Promise<IncomingShare> {
      const found = await find(id)
      const { row } = found
      if (row.state === 'declined') return withoutSecret(found)
      if (row.state === 'removed') throw refuseState(row, 'declined')
      const now = clock.now()
      const tell = owe(outbox, row, 'SHARE_DECLINED', secretOf(row))
      const end = { ...ended, endedBy: 'recipient', respondedAt: now, endedAt: now } as const
      const share = await change(
        found,
        'declined',
        async (tx) => {
          await updateIncoming(tx, [id], { ...end, state: 'declined' })
          await endReshares(tx, outbox, [id], now)
          await tell(tx)
        },
        options,
      )
      events.emit('share.ended', { incomingId: id, by: 'recipient' })
      return share
    },

    /**
     * Ends it here. The sender is told, unless it knows already or `force` says that nothing is to
     * be said; then what is still owed for this share is dropped too.
     */
    async remove(id: string, { force = false } = {}): Promise<IncomingShare> {
      const found = await find(id)
      const { row } = found
      const alive = isAlive(row)
      const now = clock.now()
      const tell = alive && !force ? owe(outbox, row, 'SHARE_DECLINED', secretOf(row)) : undefined
      if (row.state === 'removed' && !force) return withoutSecret(found)
      const share = await change(found, 'removed', async (tx) => {
        if (row.state !== 'removed') {
          const endedAt = row.endedAt ?? now
          await updateIncoming(tx, [id], {
            ...ended,
            state: 'removed',
            endedBy: 'recipient',
            endedAt,
          })
        }
        await endReshares(tx, outbox, [id], now, { silent: force })
        if (force) await outbox.cancel(tx, id)
        await tell?.(tx)
      })
      if (alive) events.emit('share.ended', { incomingId: id, by: 'recipient' })
      return share
    },

    /**
     * Forgets what went wrong, says at once what is still owed to the sender, and tries whether the
     * share opens; a revoked one may come back.
     */
    async retry(id: string): Promise<IncomingShare> {
      const { row } = await find(id)
      await inTransaction(db, async (tx) => {
        const isBack = (await findIncoming(tx, id))?.row.state === 'revoked'
        await updateIncoming(tx, [id], { ...forgotten, ...(isBack && { state: 'accepted' }) })
      })
      await outbox.retrySubject(row.id)
      await outbox.deliverNow(row.id)
      await deps.tryAccess(id)
      return get(id)
    },

    /** All rows of one share of a sender: one for each of our users it was sent to. */
    findOffers: (providerId: string, senderHost?: string): Promise<IncomingShareRow[]> =>
      selectOffers(db, providerId, senderHost),

    /** The sender took them back. Repeats are no change. */
    async endBySender(tx: Transaction, rows: readonly IncomingShareRow[]): Promise<void> {
      const live = rows.filter(isAlive)
      if (live.length === 0) return
      const ids = live.map(({ id }) => id)
      const endedAt = clock.now()
      await updateIncoming(tx, ids, { ...ended, state: 'removed', endedBy: 'sender', endedAt })
      await endReshares(tx, outbox, ids, endedAt)
    },

    /** Gives back everything that a user was given, within a transaction. Returns what was. */
    async endAllOf(tx: Transaction, { username }: User): Promise<string[]> {
      const rows = (await selectIncoming(tx, username)).map(({ row }) => row)
      const live = rows.filter(isAlive)
      for (const row of live) await owe(outbox, row, 'SHARE_DECLINED', secretOf(row))(tx)
      const ids = live.map(({ id }) => id)
      await endReshares(tx, outbox, ids, clock.now())
      return ids
    },

    /** Whether a secret is the share's own; never of a share that has ended. */
    matchesSecret(row: IncomingShareRow, secret: string): boolean {
      const known = secretOf(row)
      return known !== undefined && sameText(known, secret)
    },

    /** The accepted share that stands under a name in the user's folder of shares. */
    async findMount(userId: string, mountName: string): Promise<IncomingShare | undefined> {
      const found = await findMounted(db, userId, mountName)
      return found && withoutSecret(found)
    },
  }
}
