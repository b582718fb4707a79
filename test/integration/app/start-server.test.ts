import { describe, expect, it } from '@jest/globals'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/index.ts'
import { startServer as listen, type Server } from '../../../src/server.ts'
import { openServices } from '../../../src/services.ts'
import { captureLog } from '../../support/captured-log.ts'
import { request } from '../../support/http-request.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** A real listener on a data directory. */
async function serve(dir: string, publicUrl = 'http://localhost:1') {
  const file = join(dir, 'config.json')
  await writeFile(file, JSON.stringify({ publicUrl, dev: true, listen: { port: 0 } }))
  const { log, ...captured } = captureLog()
  const services = await openServices(loadConfig({ file, environment: {} }), log)
  const server: Server = await listen(services)
  return {
    server,
    services,
    captured,
    async [Symbol.asyncDispose]() {
      await server.stop()
      await services.close()
    },
  }
}

describe('starting the server', () => {
  it('cleans up what a crash left in the homes', async () => {
    await using folder = await tempDir()
    const debris = join(folder.path, 'data', 'files', 'alice', '.davmesh-put-abcdefgh')
    {
      await using first = await serve(folder.path)
      await first.services.users.addUser({ username: 'alice' })
      await writeFile(debris, 'half')
    }
    await using second = await serve(folder.path)
    expect(existsSync(debris)).toBe(false)
    expect(second.captured.text()).toContain('interrupted writes cleaned up')
  })

  it('refuses a data directory that another server serves, and leaves it alone (R23)', async () => {
    await using folder = await tempDir()
    await using first = await serve(folder.path)
    const { user } = await first.services.users.addUser({ username: 'alice' })
    const upload = join(user.home, '.davmesh-put-abcdefgh')
    await mkdir(user.home, { recursive: true })
    await writeFile(upload, 'half')
    await expect(serve(folder.path)).rejects.toMatchObject({
      code: 'already_served',
      message: expect.stringContaining(`process ${process.pid}`),
    })
    expect(existsSync(upload)).toBe(true)
  })

  it('signs under its new name after publicUrl has changed, and still publishes the old key', async () => {
    await using folder = await tempDir()
    {
      await using before = await serve(folder.path, 'http://localhost:1')
      expect((await before.services.keys.messageSigner()).keyId).toBe(
        'http://localhost:1/ocm#key-1',
      )
    }
    await using after = await serve(folder.path, 'https://cloud.example.org')
    const { keyId } = await after.services.keys.messageSigner()
    expect(keyId).toBe('https://cloud.example.org/ocm#key-2')
    expect((await after.services.keys.jwks()).keys.map((key) => key['kid'])).toEqual([
      'http://localhost:1/ocm#key-1',
      keyId,
    ])
  })

  it('answers whether it lives, and whether it can work', async () => {
    await using folder = await tempDir()
    await using running = await serve(folder.path)
    const url = `http://${running.server.address}`
    expect((await request(`${url}/healthz`)).json()).toEqual({ status: 'ok' })
    expect((await request(`${url}/readyz`)).json()).toEqual({ status: 'ready' })
  })

  it('names the port and the next step when another program has it', async () => {
    await using folder = await tempDir()
    await using other = await tempDir()
    await using running = await serve(folder.path)
    const [, port] = /:(\d+)$/.exec(running.server.address) ?? []
    const file = join(other.path, 'config.json')
    const listenAt = { host: '127.0.0.1', port: Number(port) }
    await writeFile(file, JSON.stringify({ dev: true, listen: listenAt }))
    const services = await openServices(loadConfig({ file, environment: {} }), captureLog().log)
    await expect(listen(services)).rejects.toMatchObject({
      code: 'cannot_listen',
      message: expect.stringMatching(/another program has the port.*--listen/s) as unknown,
    })
    await services.close()
  })

  it('stops, though a peer does not answer: it is cut off', async () => {
    await using folder = await tempDir()
    const file = join(folder.path, 'config.json')
    await writeFile(
      file,
      JSON.stringify({ dev: true, listen: { port: 0 }, limits: { drainSeconds: 1 } }),
    )
    const { log, text } = captureLog()
    const services = await openServices(loadConfig({ file, environment: {} }), log)
    // A chore that waits for a peer, and does not hear that it should end.
    let fail = (): void => undefined
    const stopped = new Promise<void>((resolve) => (fail = resolve))
    const cutOff = (): Promise<void> => services.cutOff().then(fail)
    const jobs = { ...services.jobs, stop: () => stopped }
    const server = await listen({ ...services, jobs, cutOff })
    await server.stop()
    await stopped
    expect(text()).toContain('stopping takes too long')
    await services.close()
  }, 30_000)
})
