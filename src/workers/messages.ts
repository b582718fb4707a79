/** A resource, as it is named between processes. */
export interface Place {
  readonly treeId: string
  readonly path: readonly string[]
}

/** What a worker tells the primary. */
export type ToPrimary =
  /** It is about to serve. */
  | { readonly davmesh: 'joined'; readonly runId: string }
  /** It serves. */
  | { readonly davmesh: 'ready'; readonly address: string }
  /** Why it cannot. */
  | { readonly davmesh: 'failed'; readonly message: string }
  /** It waits for its turn with all of these, and later gives them back. */
  | { readonly davmesh: 'take'; readonly id: number; readonly keys: readonly string[] }
  | { readonly davmesh: 'give'; readonly id: number }
  /** It waits for the changes at a place that the others are at. */
  | { readonly davmesh: 'settle'; readonly id: number; readonly place: Place }
  /** What the primary asked it to wait for is over. */
  | { readonly davmesh: 'settled'; readonly id: number }
  /** What it has counted, when it was asked. */
  | { readonly davmesh: 'measured'; readonly id: number; readonly metrics: unknown }
  /** The last that it counts. */
  | { readonly davmesh: 'leaving'; readonly metrics: unknown }

/** What the primary tells a worker. */
export type ToWorker =
  | { readonly davmesh: 'taken'; readonly id: number }
  | { readonly davmesh: 'settle'; readonly id: number; readonly place: Place }
  | { readonly davmesh: 'settled'; readonly id: number }
  /** Tell what it has counted. */
  | { readonly davmesh: 'measure'; readonly id: number }
  /** Drain and end. */
  | { readonly davmesh: 'stop' }
  /** Read the configuration again. */
  | { readonly davmesh: 'reload' }

/** Libraries talk over the same channel, so ours are marked. */
const isOurs = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && 'davmesh' in message

/** The other end is this very program: nothing else is checked. */
export const toPrimary = (message: unknown): ToPrimary | undefined =>
  isOurs(message) ? (message as ToPrimary) : undefined

export const toWorker = (message: unknown): ToWorker | undefined =>
  isOurs(message) ? (message as ToWorker) : undefined
