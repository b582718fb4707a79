import { AggregatorRegistry } from 'prom-client'

/**
 * For the primary of a `node:cluster`: the metrics of all workers that `offer` theirs, added up. Make
 * it before the first worker starts.
 *
 * @returns what answers a scrape; it rejects when a worker says nothing for five seconds.
 */
export function aggregateMetrics(): () => Promise<string> {
  const registry = new AggregatorRegistry()
  return () => registry.clusterMetrics()
}
