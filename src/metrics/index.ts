/** metrics: what the server does and has, in numbers, for Prometheus. */
export { createTally, type Snapshot, type Tally } from './aggregate.ts'
export { createMetrics, type Metrics } from './metrics.ts'
export { routeName } from './route-name.ts'
