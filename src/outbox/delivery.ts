import { reach, type Clock, type EventHub, type Sealer } from '../core/index.ts'
import { inTransaction, type Database, type Transaction } from '../db/index.ts'
import { judgeFailure } from './judge-failure.ts'
import type { Attempt, DeliveryOutcome, OutboxHandlers, OutboxMessage } from './message.ts'
import { deleteEntries, updateEntry, type OutboxRow } from './queries.ts'
import { delayMs, type OutboxTiming } from './timing.ts'

export interface DeliveryDeps {
  db: Database
  clock: Clock
  events: EventHub
  sealer: Sealer
  /** One for each kind; a kind that nobody delivers waits. */
  handlers: OutboxHandlers
}

export const sealContext = (id: string): string => `outbox.payload:${id}`

/** Finds an entry to deliver; looks again inside the transaction that takes it. */
export type FindNext = (tx: Transaction, now: number) => Promise<OutboxRow | undefined>

/** Takes, delivers and settles one entry at a time. */
export function createDelivery(
  { db, clock, events, sealer, handlers }: DeliveryDeps,
  timing: OutboxTiming,
) {
  /** The attempt counts from here: whether it arrived is unknown if we die now. */
  const claim = (findNext: FindNext, leaseOwner: string): Promise<OutboxRow | undefined> =>
    inTransaction(db, async (tx) => {
      const now = clock.now()
      const found = await findNext(tx, now)
      if (found === undefined) return undefined
      const lease = {
        leaseOwner,
        leaseUntil: now + timing.leaseMs,
        attempts: found.attempts + 1,
      }
      await updateEntry(tx, found.id, lease)
      return { ...found, ...lease }
    })

  async function attempt(entry: OutboxRow): Promise<DeliveryOutcome> {
    const { peer, attempts } = entry
    const isLast = clock.now() - entry.createdAt > timing.maxAgeMs
    try {
      const plain = sealer.open(entry.sealedPayload, sealContext(entry.id))
      const message = JSON.parse(plain) as OutboxMessage
      return await handle(message, { peer, attempts, isLast })
    } catch (error) {
      return judgeFailure(error)
    }
  }

  async function handle(message: OutboxMessage, to: Attempt): Promise<DeliveryOutcome> {
    const outcome = await (message.kind === 'share'
      ? handlers.share?.(message, to)
      : message.kind === 'notification'
        ? handlers.notification?.(message, to)
        : handlers.reshare?.(message, to))
    const reason = `Nothing here delivers a ${message.kind}.`
    return outcome ?? { status: 'later', reason, untried: true }
  }

  async function settle(entry: OutboxRow, outcome: DeliveryOutcome): Promise<void> {
    const leaseOwner = entry.leaseOwner ?? ''
    await inTransaction(db, async (tx) => {
      if (outcome.status === 'delivered') {
        await deleteEntries(tx, [entry.id])
        await outcome.record?.(tx)
        return
      }
      // Whoever took it over, or dropped it, knows better.
      const change = { ...next(entry, outcome), leaseOwner: null, leaseUntil: null }
      if (await updateEntry(tx, entry.id, change, leaseOwner)) await outcome.record?.(tx)
    })
  }

  function next(
    entry: OutboxRow,
    outcome: Exclude<DeliveryOutcome, { status: 'delivered' }>,
  ): Partial<OutboxRow> {
    const now = clock.now()
    const lastError = outcome.reason
    if (outcome.status === 'refused') return { state: 'refused', lastError }
    if (now - entry.createdAt > timing.maxAgeMs) {
      return { state: 'refused', lastError: `Given up: ${lastError}` }
    }
    const { untried = false, retryAfterSeconds } = outcome
    const attempts = entry.attempts - (untried ? 1 : 0)
    const delay = delayMs(attempts, timing.random(), retryAfterSeconds)
    return { attempts, lastError, nextAttemptAt: now + delay }
  }

  function tell({ id, kind, peer, attempts }: OutboxRow, outcome: DeliveryOutcome): void {
    const fact = { id, kind, peer, attempts }
    if (outcome.status === 'delivered') events.emit('outbox.delivered', fact)
    else {
      const name = outcome.status === 'refused' ? 'outbox.refused' : 'outbox.delayed'
      events.emit(name, { ...fact, reason: outcome.reason })
    }
  }

  /** Delivers one entry; `undefined` when there is none to deliver now. */
  return async function deliverNext(
    findNext: FindNext,
    owner: string,
    onClaimed?: (entry: OutboxRow) => void,
  ): Promise<DeliveryOutcome['status'] | undefined> {
    const entry = await claim(findNext, owner)
    if (entry === undefined) return undefined
    onClaimed?.(entry)
    await reach('outbox.claimed')
    const outcome = await attempt(entry)
    await reach('outbox.posted')
    await settle(entry, outcome)
    await reach('outbox.settled')
    tell(entry, outcome)
    return outcome.status
  }
}
