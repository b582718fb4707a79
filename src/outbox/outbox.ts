import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import { newId } from '../core/index.ts'
import { inTransaction, type Transaction } from '../db/index.ts'
import { createCourier } from './courier.ts'
import { createDelivery, sealContext, type DeliveryDeps, type FindNext } from './delivery.ts'
import { OutboxError } from './errors.ts'
import type { NewEntry, OutboxMessage } from './message.ts'
import {
  countOfPeer,
  deleteEntries,
  endLeasesOf,
  findEntry,
  findNextOfPeer,
  findNextOfSubject,
  insertEntry,
  isLeased,
  selectDuePeers,
  selectEntries,
  selectOfSubject,
  updateEntry,
  type OutboxRow,
} from './queries.ts'
import { usualTiming, type OutboxTiming } from './timing.ts'

export interface OutboxDeps extends DeliveryDeps {
  timing?: Partial<OutboxTiming>
  /** Messages that may wait for one peer; what ends something is owed beyond it as well. */
  maxPerPeer?: number
}

/** An entry as an operator sees it: without its payload. */
export interface OutboxEntry extends Pick<
  OutboxRow,
  | 'id'
  | 'kind'
  | 'label'
  | 'peer'
  | 'subject'
  | 'attempts'
  | 'nextAttemptAt'
  | 'lastError'
  | 'createdAt'
> {
  readonly state: 'waiting' | 'sending' | 'refused'
}

export type Outbox = ReturnType<typeof createOutbox>

/** Of a server that a successor may clear up after; a command's lease has to run out. */
const serverPrefix = 'serve-'

/** When a full outbox may have room again. */
const fullSeconds = 600

export function createOutbox(deps: OutboxDeps) {
  const { db, clock, sealer } = deps
  const timing = { ...usualTiming, ...deps.timing }
  const { maxPerPeer = 10_000 } = deps
  const deliverNext = createDelivery(deps, timing)
  /** Deliveries of this process, by subject. */
  const open = new Map<string, Promise<unknown>>()
  let owner = `cli-${newId()}`

  /** One delivery, which others can wait for by its subject. */
  async function deliverOne(findNext: FindNext) {
    let subject: string | undefined
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => (end = resolve))
    try {
      return await deliverNext(findNext, owner, (entry) => {
        subject = entry.subject
        open.set(subject, ended)
      })
    } finally {
      if (subject !== undefined) open.delete(subject)
      end()
    }
  }

  const duePeers = (): Promise<string[]> => selectDuePeers(db, clock.now())
  const ofPeer =
    (peer: string): FindNext =>
    (tx, now) =>
      findNextOfPeer(tx, peer, now)

  const courier = createCourier({
    ...timing,
    duePeers,
    deliverOne: async (peer) => (await deliverOne(ofPeer(peer))) !== undefined,
  })

  function show(row: OutboxRow): OutboxEntry {
    const { id, kind, label, peer, subject, attempts, nextAttemptAt, lastError, createdAt } = row
    const state = isLeased(row, clock.now()) ? 'sending' : row.state
    return {
      id,
      kind,
      label,
      peer,
      subject,
      state,
      attempts,
      nextAttemptAt,
      lastError,
      createdAt,
    }
  }

  const isBeingSent = async (subject: string): Promise<boolean> =>
    (await selectOfSubject(db, subject)).some((row) => isLeased(row, clock.now()))

  async function get(tx: Transaction, id: string): Promise<OutboxRow> {
    const row = await findEntry(tx, id)
    if (row !== undefined) return row
    throw new OutboxError('entry_not_found', `There is no outbox entry "${id}".`)
  }

  const endLeases = (deadRun = ''): Promise<void> =>
    inTransaction(db, (tx) => endLeasesOf(tx, serverPrefix + deadRun))

  async function requireRoom(tx: Transaction, peer: string): Promise<void> {
    if ((await countOfPeer(tx, peer)) < maxPerPeer) return
    const text = `Too many messages wait for ${peer}; see "davmesh outbox list".`
    throw new OutboxError('outbox_full', text, { retryAfterSeconds: fullSeconds })
  }

  const dueNow = ({ state, attempts }: OutboxRow) => ({
    state: 'waiting' as const,
    nextAttemptAt: clock.now(),
    // Who refused the only attempt does not have it: the next one is the first again.
    attempts: state === 'refused' && attempts === 1 ? 0 : attempts,
  })

  return {
    /** Seals now; the returned function is called inside the transaction that causes the debt. */
    prepare({
      peer,
      subject,
      message,
      mayHaveArrived = false,
    }: NewEntry): (tx: Transaction) => Promise<void> {
      const id = `obx-${newId()}`
      const now = clock.now()
      const entry = {
        id,
        kind: message.kind,
        peer,
        subject,
        label: labelOf(message),
        sealedPayload: sealer.seal(JSON.stringify(message), sealContext(id)),
        state: 'waiting' as const,
        attempts: mayHaveArrived ? 1 : 0,
        nextAttemptAt: now,
        createdAt: now,
      }
      return async (tx) => {
        if (!isEnd(message)) await requireRoom(tx, peer)
        await insertEntry(tx, entry)
      }
    },

    /**
     * Removes what still waits for a subject; what is on its way stays, so that nothing overtakes
     * it. Tells whether the peer may know of any of it.
     */
    async cancel(
      tx: Transaction,
      subject: string,
      kinds?: readonly OutboxMessage['kind'][],
    ): Promise<{ mayHaveArrived: boolean }> {
      const all = await selectOfSubject(tx, subject)
      const meant = all.filter(({ kind }) => kinds?.includes(kind) ?? true)
      const idle = meant.filter((row) => !isLeased(row, clock.now()))
      await deleteEntries(
        tx,
        idle.map(({ id }) => id),
      )
      // Who refused the only attempt does not have it.
      const mayHaveArrived = meant.some(
        ({ attempts, state }) => attempts > (state === 'refused' ? 1 : 0),
      )
      return { mayHaveArrived }
    },

    /** Delivers what is due of one subject, and waits for what is being delivered of it. */
    async deliverNow(subject: string): Promise<void> {
      const findNext: FindNext = (tx, now) => findNextOfSubject(tx, subject, now)
      do await open.get(subject)
      while ((await deliverOne(findNext)) !== undefined || open.has(subject))
      // A server beside a command may have been faster; the command tells what became of it.
      const until = performance.now() + timing.patienceMs
      while (performance.now() < until && (await isBeingSent(subject))) await sleep(50)
    },

    /** Delivers everything that is due, once. Returns how many entries it tried. */
    async runDue(): Promise<number> {
      const limit = pLimit(timing.peersAtOnce)
      const counts = await limit.map(await duePeers(), async (peer) => {
        let count = 0
        while ((await deliverOne(ofPeer(peer))) !== undefined) count += 1
        return count
      })
      return counts.reduce((sum, count) => sum + count, 0)
    },

    /**
     * Delivers from now on, in the background.
     *
     * @param isAlone no other server works on this database, so what one was delivering is free.
     * @param runId names this process among several.
     */
    async start({ isAlone, runId = newId() }: { isAlone: boolean; runId?: string }): Promise<void> {
      if (isAlone) await endLeases()
      owner = serverPrefix + runId
      courier.start()
    },

    /**
     * Frees what servers were delivering that have died.
     *
     * @param deadRun one of them; absent where no server runs, for all.
     */
    endLeases,

    /** Lets running deliveries end, however they were begun. */
    async stop(): Promise<void> {
      await courier.stop()
      await Promise.all(open.values())
    },

    /** Everything that is not delivered, oldest first. */
    list: async (): Promise<OutboxEntry[]> => (await selectEntries(db)).map(show),

    /** Makes an entry due, also a refused one. @throws OutboxError `entry_not_found`. */
    retry: (id: string): Promise<OutboxEntry> =>
      inTransaction(db, async (tx) => {
        await updateEntry(tx, id, dueNow(await get(tx, id)))
        return show(await get(tx, id))
      }),

    /** Makes all entries of a subject due, also refused ones. Returns how many there are. */
    retrySubject: (subject: string): Promise<number> =>
      inTransaction(db, async (tx) => {
        const rows = await selectOfSubject(tx, subject)
        for (const row of rows) await updateEntry(tx, row.id, dueNow(row))
        return rows.length
      }),

    /** Forgets an entry; the peer is never told. @throws OutboxError `entry_not_found`. */
    drop: (id: string): Promise<OutboxEntry> =>
      inTransaction(db, async (tx) => {
        const row = await get(tx, id)
        await deleteEntries(tx, [id])
        return show(row)
      }),
  }
}

/** Nobody is kept from ending something because its peer is away. */
const isEnd = (message: OutboxMessage): boolean =>
  message.kind === 'notification' && message.type !== 'SHARE_ACCEPTED'

function labelOf(message: OutboxMessage): string {
  if (message.kind === 'reshare') return 'REQUEST_RESHARE'
  return message.kind === 'notification' ? message.type : message.kind
}
