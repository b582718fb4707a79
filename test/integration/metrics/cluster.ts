/** Two workers that each have seen one request; the primary prints what they say together. */
import cluster from 'node:cluster'
import { createEventHub, systemClock } from '../../../src/core/index.ts'
import { migrateDatabase, openDatabase } from '../../../src/db/index.ts'
import { aggregateMetrics, createMetrics } from '../../../src/metrics/index.ts'

const [, , path = ''] = process.argv

function work(): void {
  const events = createEventHub()
  const metrics = createMetrics({ db: openDatabase(path), clock: systemClock, events })
  metrics.watchProcess()
  metrics.offer()
  const asked = { method: 'GET', path: '/healthz', status: 200 }
  metrics.observe({ ...asked, ms: 1, received: 10, sent: 20 })
  events.emit('token.refused', { reason: 'invalid_grant' })
  process.send?.('ready')
}

function lead(): void {
  migrateDatabase(openDatabase(path), Date.now())
  const text = aggregateMetrics()
  let count = 0
  cluster.on('message', (_worker, message) => {
    if (message !== 'ready' || ++count < 2) return
    void text().then((all) => {
      process.stdout.write(all)
      for (const worker of Object.values(cluster.workers ?? {})) worker?.kill()
      cluster.disconnect(() => process.exit())
    })
  })
  cluster.fork()
  cluster.fork()
}

if (cluster.isPrimary) lead()
else work()
