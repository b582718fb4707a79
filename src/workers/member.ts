import type { Worker } from 'node:cluster'
import type { ToWorker } from './messages.ts'

/** What a worker is started with. */
export interface Setup {
  /** What it runs with, as plain data, when it starts. */
  configuration(): unknown
  /** How long it may take to drain, in milliseconds; who takes longer is killed. */
  readonly drainMs: number
}

/** One worker as the primary sees it. */
export interface Member {
  readonly worker: Worker
  readonly slot: number
  readonly setup: Setup
  state: 'starting' | 'ready' | 'stopping' | 'dead'
  /** As `performance.now()` tells it. */
  readyAt: number | undefined
  runId: string | undefined
  address: string | undefined
  /** The last that it told of what it counts. */
  metrics: unknown
  /** It counts no more. */
  isLeaving: boolean
  /** Why it could not start. */
  problem: string | undefined
}

export const createMember = (worker: Worker, slot: number, setup: Setup): Member => ({
  worker,
  slot,
  setup,
  state: 'starting',
  readyAt: undefined,
  runId: undefined,
  address: undefined,
  metrics: undefined,
  isLeaving: false,
  problem: undefined,
})

export const isReady = ({ state }: Member): boolean => state === 'ready'

/** Whether it may be in the middle of a request. */
export const isServing = ({ state, runId }: Member): boolean =>
  runId !== undefined && state !== 'dead'

/** A worker that ends meanwhile hears nothing any more. */
export function tellMember({ worker }: Member, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => undefined)
}
