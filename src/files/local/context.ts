import type { BatchReader } from './batches.ts'
import type { Durability } from './disk.ts'
import type { Guard } from './guard.ts'
import type { LiveTemporaries } from './live-temporaries.ts'
import type { Pace } from './pace.ts'
import type { Stamp } from './stamp.ts'
import type { Turns } from './turns.ts'

/** What the operations of one tree have in common. */
export interface LocalContext {
  readonly guard: Guard
  readonly durability: Durability
  readonly turns: Turns
  readonly pace: Pace
  readonly live: LiveTemporaries
  readonly readBatches: BatchReader
  /** Gives a written file its own modification time, and says what it looks like. */
  readonly stamp: Stamp
}
