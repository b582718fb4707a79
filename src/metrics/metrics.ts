import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Clock, EventHub } from '../core/index.ts'
import type { Database } from '../db/index.ts'
import type { RequestEnd } from '../http/index.ts'
import type { Snapshot } from './aggregate.ts'
import { countHappenings } from './happenings.ts'
import { countHoldings } from './holdings.ts'
import { countRequests } from './requests.ts'

export interface MetricsDeps {
  db: Database
  clock: Clock
  events: EventHub
}

/** The numbers of one server. */
export interface Metrics {
  /** Takes the end of a request. */
  observe(end: RequestEnd): void
  /** The media type of `text()`. */
  readonly contentType: string
  /** Everything, in Prometheus's text form. */
  text(): Promise<string>
  /**
   * Adds this process's memory, processor, descriptors and event-loop delay; once, where somebody
   * can read them: a timer runs for it from then on.
   */
  watchProcess(): void
  /** Everything, for the `Tally` of this worker's primary. */
  snapshot(): Promise<Snapshot>
}

/** Registers everything in a registry of its own: several servers may live in one process. */
export function createMetrics({ db, clock, events }: MetricsDeps): Metrics {
  const registry = new Registry()
  countHappenings(registry, events)
  countHoldings(registry, db, clock)
  return {
    observe: countRequests(registry),
    contentType: registry.contentType,
    text: () => registry.metrics(),
    watchProcess: () =>
      collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 }),
    snapshot: () => registry.getMetricsAsJSON(),
  }
}
