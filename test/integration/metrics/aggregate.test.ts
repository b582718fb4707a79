import { expect, it } from '@jest/globals'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { tempDir } from '../../support/temp-dir.ts'

const script = fileURLToPath(new URL('./cluster.ts', import.meta.url))

it('the primary of several processes adds up what its workers count', async () => {
  await using folder = await tempDir()
  const database = join(folder.path, 'davmesh.sqlite')
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--import', 'tsx'],
    ...[script, database],
  ])
  const lines = stdout.split('\n')
  for (const line of [
    'davmesh_http_requests_total{route="health",method="GET",status="200"} 2',
    'davmesh_http_received_bytes_total{route="health",method="GET"} 20',
    'davmesh_token_exchanges_total{outcome="refused",reason="invalid_grant"} 2',
    // Both counted the same rows of the one database.
    'davmesh_outbox_entries{state="waiting"} 0',
  ]) {
    expect(lines).toContain(line)
  }
  expect(stdout).toMatch(/^davmesh_database_bytes [1-9]/m)
  expect(stdout).toMatch(/^process_resident_memory_bytes [1-9]/m)
}, 30_000)
