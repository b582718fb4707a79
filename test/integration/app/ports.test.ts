import { expect, it, jest } from '@jest/globals'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { runCli } from '../../support/run-cli.ts'
import { crashStage } from '../crash/stage.ts'

/** Starts the built server. */
jest.setTimeout(60_000)

it('ends with one line when another program has the port of admin', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  try {
    const log = { level: 'error' }
    await using stage = await crashStage({ admin: { listen: { host: '127.0.0.1', port } }, log })
    const cwd = dirname(stage.configFile)
    const served = await runCli(['serve', '--config', stage.configFile], { cwd, timeoutMs: 30_000 })
    expect([served.code, served.out]).toEqual([1, ''])
    expect(served.err.trim().split('\n')).toEqual([
      expect.stringMatching(
        `Cannot listen on 127.0.0.1:${port}: another program has the port. .*admin.listen`,
      ),
    ])
  } finally {
    other.close()
  }
})
