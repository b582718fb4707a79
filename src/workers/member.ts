import type { Worker } from 'node:cluster'
import type { ToWorker } from './messages.ts'

/** One worker as the primary sees it. */
export interface Member {
  readonly worker: Worker
  readonly slot: number
  state: 'starting' | 'ready' | 'stopping' | 'dead'
  /** As `performance.now()` tells it. */
  readyAt: number | undefined
  runId: string | undefined
  address: string | undefined
  /** Why it could not start. */
  problem: string | undefined
}

export const createMember = (worker: Worker, slot: number): Member => ({
  worker,
  slot,
  state: 'starting',
  readyAt: undefined,
  runId: undefined,
  address: undefined,
  problem: undefined,
})

/** Whether it may be in the middle of a request. */
export const isServing = ({ state, runId }: Member): boolean =>
  runId !== undefined && state !== 'dead'

/** A worker that ends meanwhile hears nothing any more. */
export function tellMember({ worker }: Member, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => undefined)
}
