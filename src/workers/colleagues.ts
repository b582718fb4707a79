import cluster from 'node:cluster'
import type { SharedState } from '../files/index.ts'
import { createGeneration } from './generation.ts'
import { toWorker, type Place, type ToPrimary } from './messages.ts'

/** The environment variable that says which cell of the generations is the worker's. */
export const slotVariable = 'DAVMESH_WORKER_SLOT'

/** Whether this process was started by a primary. */
export const isWorker = (): boolean => cluster.isWorker

/** The environment variable that holds what a worker runs with, as JSON: a file may change. */
export const configurationVariable = 'DAVMESH_WORKER_CONFIG'

/** What a worker has in common with the others, and how it talks to the primary. */
export interface Colleagues extends SharedState {
  /** Waits for the changes at a place that others had begun by now. */
  settled(place: Place): Promise<void>
  /** Others ask the same of us. */
  onSettle(wait: (place: Place) => Promise<void>): void
  /** The primary asks for what this process has counted. */
  onMeasure(measure: () => Promise<unknown>): void
  onStop(stop: () => void): void
  onReload(reload: () => void): void
  /** Before the first request can come: from now on others wait for what this process is at. */
  joined(runId: string): void
  ready(address: string): void
  failed(message: string): void
  /** Says what this process has counted up to its end. */
  leaving(metrics: unknown): void
  /** Lets the process end: nothing holds it any more. */
  leave(): void
}

/**
 * Joins the processes that the primary of this one has started.
 *
 * @param slot what `slotVariable` says.
 */
export function joinWorkers(dataDir: string, slot: number): Colleagues {
  const waiting = new Map<number, () => void>()
  let lastId = 0
  let wait: (place: Place) => Promise<void> = () => Promise.resolve()
  let measure: () => Promise<unknown> = () => Promise.resolve()
  let stop = (): void => undefined
  let hasMissedReload = false
  let reload = (): void => void (hasMissedReload = true)

  function tell(message: ToPrimary): void {
    // Without a primary this process is about to end.
    if (process.connected) process.send?.(message)
  }

  function ask(message: (id: number) => ToPrimary): Promise<number> {
    lastId += 1
    const id = lastId
    return new Promise((resolve) => {
      waiting.set(id, () => resolve(id))
      tell(message(id))
    })
  }

  function answered(id: number): void {
    waiting.get(id)?.()
    waiting.delete(id)
  }

  process.on('message', (received) => {
    const message = toWorker(received)
    switch (message?.davmesh) {
      case 'taken':
      case 'settled':
        answered(message.id)
        break
      case 'settle': {
        const { id, place } = message
        void wait(place).finally(() => tell({ davmesh: 'settled', id }))
        break
      }
      case 'measure': {
        const { id } = message
        void measure().then(
          (metrics) => tell({ davmesh: 'measured', id, metrics }),
          // The primary has the last that was told.
          () => tell({ davmesh: 'measured', id, metrics: undefined }),
        )
        break
      }
      case 'stop':
        stop()
        break
      case 'reload':
        reload()
        break
      case undefined:
        break
    }
  })

  return {
    turns: {
      async take(keys, work) {
        const id = await ask((id) => ({ davmesh: 'take', id, keys }))
        try {
          return await work()
        } finally {
          tell({ davmesh: 'give', id })
        }
      },
    },
    generation: createGeneration(dataDir, slot),
    async settled(place) {
      await ask((id) => ({ davmesh: 'settle', id, place }))
    },
    onSettle: (handler) => void (wait = handler),
    onMeasure: (handler) => void (measure = handler),
    onStop: (handler) => void (stop = handler),
    onReload(handler) {
      reload = handler
      if (hasMissedReload) handler()
    },
    joined: (runId) => tell({ davmesh: 'joined', runId }),
    ready: (address) => tell({ davmesh: 'ready', address }),
    failed: (message) => tell({ davmesh: 'failed', message }),
    leaving: (metrics) => tell({ davmesh: 'leaving', metrics }),
    leave: () => void cluster.worker?.disconnect(),
  }
}
