import { createBatchReader, type BatchReader } from './batches.ts'
import type { Generation } from '../generation.ts'
import { createLiveTemporaries, type LiveTemporaries } from './live-temporaries.ts'
import { createLooks, type Looks } from './looks.ts'
import { createPace, type Pace } from './pace.ts'
import { createSmallFiles, type SmallFiles } from './small-files.ts'
import { createTurns, type Turns } from './turns.ts'
import { createViews, type Views } from './views.ts'

/**
 * What all local trees of a process share: whose turn it is to replace what, and what was lately
 * seen. Trees over the same directory with a state each do not see each other's changes at once.
 */
export interface LocalState {
  readonly turns: Turns
  /** Of changes, and of reading half a mebibyte at a time. */
  readonly pace: Pace
  readonly readingPace: Pace
  readonly readBatches: BatchReader
  readonly views: Views
  readonly smallFiles: SmallFiles
  readonly looks: Looks
  readonly live: LiveTemporaries
}

/** What a local state has in common with those of other processes over the same directories. */
export interface SharedState {
  readonly turns: Turns
  readonly generation: Generation
}

/** @param shared absent where one process has the files to itself. */
export const createLocalState = (shared?: SharedState): LocalState => ({
  turns: shared?.turns ?? createTurns(),
  pace: createPace(4),
  // A gigabyte a second: not much less than from memory, more than from most disks.
  readingPace: createPace(0.5),
  readBatches: createBatchReader(),
  views: createViews(undefined, shared?.generation),
  smallFiles: createSmallFiles(),
  looks: createLooks(),
  live: createLiveTemporaries(),
})
