import { describe, expect, it } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/index.ts'
import { createApp, type App } from '../../../src/create-app.ts'
import { basic } from '../../support/dav-client.ts'
import { captureLog } from '../../support/captured-log.ts'
import { request } from '../../support/http-request.ts'
import { mountSmallDisk, whyNotMount } from '../../support/small-disk.ts'
import { tempDir } from '../../support/temp-dir.ts'

const mib = 1024 * 1024

/** A server with both listeners over a data directory. */
async function serve(dir: string): Promise<{ app: App; url: string; admin: string }> {
  const file = join(dir, 'config.json')
  const listen = { host: '127.0.0.1', port: 0 }
  const settings = { publicUrl: 'http://localhost:1', dev: true, listen, admin: { listen } }
  await writeFile(file, JSON.stringify({ ...settings, dataDir: './data' }))
  const app = await createApp(loadConfig({ file, environment: {} }), { log: captureLog().log })
  const { address, adminAddress } = await app.start()
  return { app, url: `http://${address}`, admin: `http://${adminAddress ?? ''}` }
}

const ready = async (url: string) => {
  const { status, text } = await request(`${url}/readyz`)
  return [status, text]
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((done) => setTimeout(done, 50))
}

describe('readiness', () => {
  it('is lost while another process holds the database, and comes back', async () => {
    await using folder = await tempDir()
    const { app, url, admin } = await serve(folder.path)
    expect(await ready(url)).toEqual([200, '{"status":"ready"}'])
    const other = new Sqlite(app.services.db.path)
    other.exec('BEGIN IMMEDIATE')
    await until(async () => (await ready(admin))[0] === 503)
    expect(await ready(url)).toEqual([503, '{"status":"database"}'])
    // It lives all the same.
    expect((await request(`${url}/healthz`)).status).toBe(200)
    other.close()
    await until(async () => (await ready(url))[0] === 200)
    await app.close()
  }, 20_000)

  it('is lost at once when the server stops, while an upload still runs (R14)', async () => {
    await using folder = await tempDir()
    const { app, url, admin } = await serve(folder.path)
    const { password = '' } = await app.services.users.addUser({ username: 'alice' })
    let goOn = (): void => undefined
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.alloc(2 * mib))
        goOn = () => {
          controller.enqueue(Buffer.from(' and half'))
          controller.close()
        }
      },
    })
    const upload = fetch(`${url}/dav/files/alice/slow.txt`, {
      method: 'PUT',
      headers: { authorization: basic('alice', password) },
      body,
      duplex: 'half',
    })
    // What is being written has a name of its own in the folder.
    const home = join(folder.path, 'data', 'files', 'alice')
    await until(async () => (await readdir(home)).some((entry) => entry.startsWith('.davmesh-')))
    const stopped = app.close()
    expect(await ready(admin)).toEqual([503, '{"status":"draining"}'])
    await expect(request(`${url}/readyz`)).rejects.toThrow()
    goOn()
    expect((await upload).status).toBe(201)
    await stopped
    await expect(request(`${admin}/healthz`)).rejects.toThrow()
  }, 20_000)
})

const obstacle = whyNotMount()
const name = obstacle === undefined ? 'a disk' : `a disk (not here: ${obstacle})`

;(obstacle === undefined ? describe : describe.skip)(name, () => {
  it('with less than 16 MiB left makes the server not ready, until there is room', async () => {
    const disk = mountSmallDisk('48m')
    const { app, url } = await serve(disk.path)
    try {
      expect(await ready(url)).toEqual([200, '{"status":"ready"}'])
      disk.fill(8 * mib)
      await until(async () => (await ready(url))[0] === 503)
      expect(await ready(url)).toEqual([503, '{"status":"disk"}'])
      disk.free()
      await until(async () => (await ready(url))[0] === 200)
    } finally {
      await app.close()
      disk.unmount()
    }
  }, 20_000)
})
