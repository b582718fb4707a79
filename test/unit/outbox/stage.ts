import { afterEach, beforeEach, expect } from '@jest/globals'
import { join } from 'node:path'
import { createEventHub, createSealer } from '../../../src/core/index.ts'
import {
  inTransaction,
  migrateDatabase,
  openDatabase,
  type Database,
} from '../../../src/db/index.ts'
import {
  createOutbox,
  type Attempt,
  type DeliveryOutcome,
  type Outbox,
  type OutboxDeps,
  type OutboxEntry,
} from '../../../src/outbox/index.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { tempDir, type TempDir } from '../../support/temp-dir.ts'

const sealer = createSealer(Buffer.alloc(32, 1))
export const later: DeliveryOutcome = { status: 'later', reason: 'no answer' }
export const refused: DeliveryOutcome = { status: 'refused', reason: 'no' }
export const delivered: DeliveryOutcome = { status: 'delivered' }

/** An outbox over a real database, and what it delivered; new for each test. */
export interface OutboxStage {
  db: Database
  clock: FakeClock
  /** Share ids as delivered, in order. */
  tried: string[]
  attempts: Attempt[]
  answer: (shareId: string) => DeliveryOutcome | Promise<DeliveryOutcome>
  outbox: Outbox
  /** Another process on the same database. */
  open(timing?: OutboxDeps['timing']): Outbox
  owe(shareId: string, peer?: string, subject?: string): Promise<void>
  /** The one entry there is, if there is one. */
  only(): Promise<OutboxEntry | undefined>
  untilEmpty(): Promise<void>
}

/** Sets the stage anew before each test of a file. */
export function outboxStage(): OutboxStage {
  let folder: TempDir
  const stage = {
    open: (timing = {}) =>
      createOutbox({
        db: stage.db,
        clock: stage.clock,
        sealer,
        events: createEventHub(),
        timing: { random: () => 1, pollMs: 5, ...timing },
        handlers: {
          async share({ shareId }, attempt) {
            stage.tried.push(shareId)
            stage.attempts.push(attempt)
            return stage.answer(shareId)
          },
        },
      }),
    owe: (shareId, peer = 'a.example', subject = shareId) =>
      inTransaction(
        stage.db,
        stage.outbox.prepare({ peer, subject, message: { kind: 'share', shareId } }),
      ),
    async only() {
      const [entry, ...others] = await stage.outbox.list()
      expect(others).toEqual([])
      return entry
    },
    async untilEmpty() {
      while ((await stage.outbox.list()).length > 0) {
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    },
  } as OutboxStage

  beforeEach(async () => {
    folder = await tempDir()
    stage.db = openDatabase(join(folder.path, 'davmesh.sqlite'))
    migrateDatabase(stage.db, 1)
    stage.clock = fakeClock()
    stage.tried = []
    stage.attempts = []
    stage.answer = () => delivered
    stage.outbox = stage.open()
  })

  afterEach(async () => {
    await stage.outbox.stop()
    stage.db.close()
    await folder[Symbol.asyncDispose]()
  })
  return stage
}
