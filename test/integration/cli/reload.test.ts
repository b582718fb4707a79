import { expect, it, jest } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { request } from '../../support/http-request.ts'
import { serveProcess } from '../../support/run-cli.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** Starting the built program takes a while on a busy machine. */
jest.setTimeout(30_000)

it('a running server takes a changed federation over: on SIGHUP, by itself, never a broken one', async () => {
  await using folder = await tempDir()
  const file = join(folder.path, 'config.json')
  const config = { publicUrl: 'http://localhost:1', dev: true, listen: { port: 0 } }
  const write = (federation: unknown) => writeFile(file, JSON.stringify({ ...config, federation }))
  await write({})
  await using server = await serveProcess([], { cwd: folder.path })
  const criteria = async () =>
    JSON.stringify((await request(`http://${server.address}/.well-known/ocm`)).json()['criteria'])
  const until = async (isSo: () => boolean | Promise<boolean>) => {
    while (!(await isSo())) await new Promise((done) => setTimeout(done, 20))
  }
  expect(await criteria()).toBe('[]')
  await write({ requireInvite: true })
  process.kill(server.pid, 'SIGHUP')
  await until(async () => (await criteria()) === '["must-invite"]')

  await write({ requireInvite: 'no' })
  process.kill(server.pid, 'SIGHUP')
  await until(() => server.err().includes('the old one stays'))
  expect(server.err()).toContain('federation.requireInvite')
  expect(await criteria()).toBe('["must-invite"]')

  await write({ deny: ['evil.example.org'] })
  await until(async () => (await criteria()) === '["denylist"]')
  expect(await server.stop()).toBe(0)
})

it('a running server takes another log level over, in all its rooms', async () => {
  await using folder = await tempDir()
  const file = join(folder.path, 'config.json')
  const config = { publicUrl: 'http://localhost:1', dev: true, listen: { port: 0 } }
  const write = (level: string) =>
    writeFile(file, JSON.stringify({ ...config, log: { level, format: 'json' } }))
  await write('warn')
  await using server = await serveProcess([], { cwd: folder.path })
  const ask = (path: string) => request(`http://${server.address}${path}`)
  const until = async (isSo: () => boolean | Promise<boolean>) => {
    while (!(await isSo())) await new Promise((done) => setTimeout(done, 20))
  }
  const hasLine = (path: string) => server.err().includes(`"route":"${path}"`)
  await ask('/while-warn')
  await write('info')
  process.kill(server.pid, 'SIGHUP')
  // Lines of requests are written by a child of the logger.
  await until(async () => {
    await ask('/while-info')
    return hasLine('/while-info')
  })
  expect(server.err()).toContain('"event":"log.level-changed","level":"info"')
  expect(hasLine('/while-warn')).toBe(false)

  await write('error')
  // Nothing is said of it at that level, so ask until nothing is said of asking.
  let count = 0
  await until(async () => {
    await ask(`/turn-${++count}`)
    await new Promise((done) => setTimeout(done, 50))
    return !hasLine(`/turn-${count}`)
  })
  await write('nonsense')
  process.kill(server.pid, 'SIGHUP')
  await until(() => server.err().includes('the old one stays'))
  expect(server.err()).toContain('log.level')
  expect(await server.stop()).toBe(0)
})
