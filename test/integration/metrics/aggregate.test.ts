import { expect, it } from '@jest/globals'
import { join } from 'node:path'
import { createEventHub, systemClock } from '../../../src/core/index.ts'
import { migrateDatabase, openDatabase } from '../../../src/db/index.ts'
import { createMetrics, createTally } from '../../../src/metrics/index.ts'
import { tempDir } from '../../support/temp-dir.ts'

it('adds up what workers count; what a departed one counted stays, its gauges go', async () => {
  await using folder = await tempDir()
  const db = openDatabase(join(folder.path, 'davmesh.sqlite'))
  migrateDatabase(db, Date.now())
  const worker = () => {
    const events = createEventHub()
    const metrics = createMetrics({ db, clock: systemClock, events })
    metrics.watchProcess()
    const asked = { method: 'GET', path: '/healthz', status: 200 }
    metrics.observe({ ...asked, ms: 1, received: 10, sent: 20 })
    events.emit('token.refused', { reason: 'invalid_grant' })
    return metrics.snapshot()
  }
  const both = [await worker(), await worker()]
  const tally = createTally()
  const expectBoth = (text: string): void => {
    const lines = text.split('\n')
    for (const line of [
      'davmesh_http_requests_total{route="health",method="GET",status="200"} 2',
      'davmesh_http_received_bytes_total{route="health",method="GET"} 20',
      'davmesh_token_exchanges_total{outcome="refused",reason="invalid_grant"} 2',
    ]) {
      expect(lines).toContain(line)
    }
  }
  const all = await tally.text(both)
  expectBoth(all)
  // Both counted the same rows of the one database.
  expect(all).toMatch(/^davmesh_outbox_entries\{state="waiting"\} 0$/m)
  expect(all).toMatch(/^davmesh_database_bytes [1-9]/m)
  expect(all).toMatch(/^process_resident_memory_bytes [1-9]/m)

  for (const snapshot of both) tally.departed(snapshot)
  const past = await tally.text([])
  expectBoth(past)
  expect(past).toMatch(/_bucket\{.*\} 2$/m)
  expect(past).not.toMatch(/^process_resident_memory_bytes/m)
  db.close()
})
