import { AggregatorRegistry } from 'prom-client'

/** What one process has counted, as it goes from a worker to its primary. */
export type Snapshot = readonly { readonly name: string; readonly type: unknown }[]

/** What grows only; the rest is of the living alone. */
const growing: readonly unknown[] = ['counter', 'histogram']

/** For a primary: the metrics of all its workers, those that are no more included. */
export interface Tally {
  /** Keeps what a worker had counted, because a counter never falls. */
  departed(snapshot: Snapshot): void
  /** Everything, in Prometheus's text form. */
  text(living: readonly Snapshot[]): Promise<string>
}

const sum = (all: readonly Snapshot[]) => AggregatorRegistry.aggregate([...all])

export function createTally(): Tally {
  let past: Snapshot = []
  return {
    departed(snapshot) {
      const kept = snapshot.filter(({ type }) => growing.includes(type))
      // A sum has its values at hand.
      past = sum([past, kept]).getMetricsAsArray()
    },
    text: (living) => sum([...living, past]).metrics(),
  }
}
