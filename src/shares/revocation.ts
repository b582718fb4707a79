import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import { reach, type Clock, type EventHub, type Sealer } from '../core/index.ts'
import { inTransaction, type Database, type Transaction } from '../db/index.ts'
import type { Outbox } from '../outbox/index.ts'
import { parseOcmAddress } from '../peers/index.ts'
import {
  findShare,
  findToken,
  revokeShareRows,
  selectChildren,
  type OutgoingShareRow,
} from './queries.ts'
import { sealContext, undoContext } from './sealed-secret.ts'

export interface RevocationDeps {
  db: Database
  clock: Clock
  events: EventHub
  sealer: Sealer
  outbox: Pick<Outbox, 'prepare' | 'cancel' | 'deliverNow'>
}

/** Whoever ends a share does not wait longer for peers to be told; the server goes on. */
const patienceMs = 2000

/** Of a user who goes there may be thousands. */
const toldAtOnce = 8

/**
 * Longer than a notice whose answer we never saw can be under way and still be taken: verifiers
 * refuse a signature that is older.
 */
const underWayMs = 10 * 60_000

/** Delivers what is owed about these; what fails, or takes too long, stays in the outbox. */
export async function tellSoon(
  outbox: Pick<Outbox, 'deliverNow'>,
  subjects: readonly string[],
): Promise<void> {
  const limit = pLimit(toldAtOnce)
  const told = Promise.allSettled(subjects.map((id) => limit(() => outbox.deliverNow(id))))
  await Promise.race([told, sleep(patienceMs, undefined, { ref: false })])
  limit.clearQueue()
}

/** In line with nothing: who has the share may be slow, and its parent's end must not wait. */
const undoSubject = (id: string): string => `undo-${id}`

/** Ends shares, with all that were passed on from them, and owes their peers the news. */
export function createRevocation({ db, clock, events, sealer, outbox }: RevocationDeps) {
  /** Tells the peer if it may know of the share. */
  async function owe(tx: Transaction, share: OutgoingShareRow): Promise<void> {
    const { id: subject, recipientHost: peer, resourceType } = share
    const { mayHaveArrived } = await outbox.cancel(tx, subject, ['share'])
    if (share.sentAt === null && !mayHaveArrived) return
    const sealed = (await findToken(tx, subject))?.sealedSecret
    const secret = sealed ? { secret: sealer.open(sealed, sealContext(subject)) } : {}
    const message = {
      kind: 'notification',
      type: 'SHARE_UNSHARED',
      providerId: subject,
      resourceType,
      ...secret,
      ...(share.sentAt === null && { mayArriveUntil: clock.now() + underWayMs }),
    } as const
    await outbox.prepare({ peer, subject, message })(tx)
  }

  /** Children first: what they were passed on from is still there. */
  async function end(tx: Transaction, share: OutgoingShareRow): Promise<string[]> {
    const ended: string[] = []
    for (const child of await selectChildren(tx, share.id)) ended.push(...(await end(tx, child)))
    await owe(tx, share)
    await revokeShareRows(tx, share.id, clock.now())
    return [...ended, share.id]
  }

  /** Who passed a share on hears that it is over, unless by an own decision or with the parent. */
  async function oweInitiator(tx: Transaction, share: OutgoingShareRow): Promise<void> {
    const { id, parentId, resharedBy, resourceType, sealedUndoToken: sealed } = share
    if (parentId === null || resharedBy === null) return
    const { host: peer } = parseOcmAddress(resharedBy)
    const secret = sealed ? { secret: sealer.open(sealed, undoContext(id)) } : {}
    const notice = { type: 'RESHARE_UNDO', providerId: id, resourceType, ...secret } as const
    // It may not have heard yet what it was granted.
    const mayArriveUntil = clock.now() + underWayMs
    const message = { kind: 'notification', ...notice, mayArriveUntil } as const
    await outbox.prepare({ peer, subject: undoSubject(id), message })(tx)
  }

  return {
    oweInitiator,

    /** Ends what was passed on to somebody whose server refuses it: who asked may ask again. */
    async giveUp(tx: Transaction, id: string): Promise<void> {
      // It may have been answered, or taken back, while it was told.
      const share = (await findShare(tx, id))?.share
      if (share?.state !== 'failed' || share.parentId === null) return
      await oweInitiator(tx, share)
      await end(tx, share)
    },

    /** Ends a live share within a transaction. Returns the ids of all that ended, to be told. */
    end,

    async revoke(id: string): Promise<void> {
      const { ended, parentId } = await inTransaction(db, async (tx) => {
        // As it is now: it may have arrived, or ended, since somebody looked.
        const share = (await findShare(tx, id))?.share
        if (share?.revokedAt !== null) return { ended: [], parentId: null }
        await oweInitiator(tx, share)
        return { ended: await end(tx, share), parentId: share.parentId }
      })
      await reach('revocation.committed')
      for (const shareId of ended) events.emit('share.revoked', { shareId })
      await tellSoon(outbox, parentId === null ? ended : [...ended, undoSubject(id)])
    },
  }
}
