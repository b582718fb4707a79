import { expect, it, jest } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { request } from '../../support/http-request.ts'
import { serveProcess } from '../../support/run-cli.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** Starting the built program takes a while on a busy machine. */
jest.setTimeout(30_000)

it('a running server takes a changed federation over on SIGHUP', async () => {
  await using folder = await tempDir()
  const file = join(folder.path, 'config.json')
  const config = { publicUrl: 'http://localhost:1', dev: true, listen: { port: 0 } }
  await writeFile(file, JSON.stringify(config))
  await using server = await serveProcess([], { cwd: folder.path })
  const criteria = async () =>
    (await request(`http://${server.address}/.well-known/ocm`)).json()['criteria']
  expect(await criteria()).toEqual([])
  await writeFile(file, JSON.stringify({ ...config, federation: { requireInvite: true } }))
  process.kill(server.pid, 'SIGHUP')
  while (JSON.stringify(await criteria()) !== '["must-invite"]') {
    await new Promise((done) => setTimeout(done, 20))
  }
  expect(await server.stop()).toBe(0)
})
