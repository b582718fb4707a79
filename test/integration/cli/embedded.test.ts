import { describe, expect, it, jest } from '@jest/globals'
import { once } from 'node:events'
import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { openDatabase } from '../../../src/db/index.ts'
import { basic, davClient } from '../../support/dav-client.ts'
import { request } from '../../support/http-request.ts'
import { hashTree } from '../../support/invariants.ts'
import { runCli, serveProcess } from '../../support/run-cli.ts'
import { leaksIn } from '../../support/secrets.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** Every command is a process that loads the whole program. */
jest.setTimeout(30_000)

/** A port nobody has; only the built-in default cannot be told to pick one by itself. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise((done) => probe.close(done))
  return port
}

function contentOf(dataDir: string): string {
  const db = openDatabase(join(dataDir, 'davmesh.sqlite'), { create: false })
  const tables = ['users', 'app_passwords', 'signing_keys', 'migrations', 'outgoing_shares']
  const rows = tables.map((name) => db.raw.reader.prepare(`SELECT * FROM ${name}`).all())
  db.close()
  return JSON.stringify(rows)
}

describe('davmesh serve without a configuration', () => {
  it('makes everything, prints one password once, and changes nothing the second time', async () => {
    await using folder = await tempDir()
    const port = await freePort()
    const environment = { DAVMESH_LISTEN: `127.0.0.1:${port}` }
    const dataDir = join(folder.path, 'data')
    const url = `http://localhost:${port}`

    const first = await serveProcess([], { cwd: folder.path, environment })
    const [, password = ''] = /app password \(shown this once\):\s+(\S+)/.exec(first.out) ?? []
    expect(password.length).toBeGreaterThanOrEqual(22)
    expect(first.out).toContain(`davmesh serves ${url}`)
    expect(first.out).toContain(`url=${url}/dav/files/me/`)
    expect(first.out).toContain('mount -t davfs')
    const dav = davClient(`http://127.0.0.1:${port}/dav/files/me/`, basic('me', password))
    expect((await dav.put('hello.txt', 'hello')).status).toBe(201)
    const discovery = await request(`http://127.0.0.1:${port}/.well-known/ocm`)
    expect(discovery.json()).toMatchObject({ endPoint: `${url}/ocm` })
    expect(leaksIn(first.err(), [password])).toEqual([])
    expect(await first.stop()).toBe(0)
    expect((await stat(join(dataDir, 'secret.key'))).mode & 0o777).toBe(0o600)

    const [rows, tree] = [contentOf(dataDir), await hashTree(join(dataDir, 'files'))]
    const key = await readFile(join(dataDir, 'secret.key'), 'utf8')
    await using second = await serveProcess([], { cwd: folder.path, environment })
    expect(second.out).toContain(`davmesh serves ${url}`)
    expect(second.out).not.toMatch(/password/i)
    expect((await dav.get('hello.txt')).text).toBe('hello')
    await second.stop()
    expect(contentOf(dataDir)).toBe(rows)
    expect(await hashTree(join(dataDir, 'files'))).toBe(tree)
    expect(await readFile(join(dataDir, 'secret.key'), 'utf8')).toBe(key)
  })

  it('makes no user of its own where there is a configuration', async () => {
    await using folder = await tempDir()
    const flags = ['--public-url', 'http://localhost:9', '--listen', '127.0.0.1:0']
    const options = { cwd: folder.path }
    expect((await runCli(['init', ...flags], options)).code).toBe(0)
    const server = await serveProcess([], options)
    expect(server.out).not.toMatch(/password/i)
    expect(await server.stop()).toBe(0)
    const users = await runCli(['user', 'list', '--json'], options)
    expect([users.code, users.json()]).toEqual([0, []])
  })

  it('says which port is taken, with status 1', async () => {
    await using folder = await tempDir()
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    const environment = { DAVMESH_LISTEN: `127.0.0.1:${port}` }
    const result = await runCli(['serve'], { cwd: folder.path, environment })
    holder.close()
    expect([result.code, result.out]).toEqual([1, ''])
    expect(result.err).toContain(`Cannot listen on 127.0.0.1:${port}`)
    expect(result.err).toContain('--listen')
  })
})

describe('a data directory that cannot be trusted (robustness R8)', () => {
  it('is refused with one clear line, and never begun anew', async () => {
    await using folder = await tempDir()
    const options = { cwd: folder.path }
    const data = (name: string) => join(folder.path, 'data', name)
    expect((await runCli(['user', 'list', '--json'], options)).code).toBe(0)

    const key = await readFile(data('secret.key'))
    await rm(data('secret.key'))
    const noKey = await runCli(['key', 'list'], options)
    expect([noKey.code, noKey.out]).toEqual([1, ''])
    expect(noKey.err).toMatch(/^error: The key .*secret\.key is missing/)
    await writeFile(data('secret.key'), key)

    for (const name of ['davmesh.sqlite', 'davmesh.sqlite-wal', 'davmesh.sqlite-shm']) {
      await rm(data(name), { force: true })
    }
    const noDatabase = await runCli(['user', 'list'], options)
    expect(noDatabase.code).toBe(1)
    expect(noDatabase.err).toMatch(/^error: There is a key .* but no database/)
    await expect(stat(data('davmesh.sqlite'))).rejects.toThrow('ENOENT')

    await writeFile(
      data('davmesh.sqlite'),
      'this is no database, whatever its name says'.repeat(99),
    )
    const damaged = await runCli(['user', 'list'], options)
    expect(damaged.code).toBe(1)
    expect(damaged.err).toMatch(/^error: The database .* cannot be opened/)
  })
})
