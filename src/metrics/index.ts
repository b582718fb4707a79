/** metrics: what the server does and has, in numbers, for Prometheus. */
export { aggregateMetrics } from './aggregate.ts'
export { createMetrics, type Metrics } from './metrics.ts'
export { routeName } from './route-name.ts'
