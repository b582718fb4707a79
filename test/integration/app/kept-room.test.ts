import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { basic, davClient } from '../../support/dav-client.ts'
import { mountSmallDisk, whyNotMount, type SmallDisk } from '../../support/small-disk.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

const mib = 1024 * 1024

const obstacle = whyNotMount()
const name = obstacle === undefined ? 'the kept room' : `the kept room (not here: ${obstacle})`

/** A twentieth of the disk is kept: 6.4 MiB. */
;(obstacle === undefined ? describe : describe.skip)(name, () => {
  let disk: SmallDisk
  let server: TestServer
  let home: string
  let login: string
  let alice: ReturnType<typeof davClient>

  beforeEach(async () => {
    disk = mountSmallDisk('128m')
    home = join(disk.path, 'files', 'alice')
    server = await startServer({ config: { dataDir: disk.path } })
    login = basic('alice', await server.addUser('alice'))
    alice = davClient(`${server.url}/dav/files/alice/`, login)
  })
  afterEach(async () => {
    await server.close()
    disk.unmount()
  })

  const sizeHere = (): number =>
    readdirSync(home)
      .filter((entry) => entry.startsWith('.davmesh-'))
      .reduce((sum, entry) => sum + statSync(join(home, entry)).size, 0)

  it('ends an announced upload when others have taken the room meanwhile', async () => {
    const call = request(`${server.url}/dav/files/alice/large`, {
      method: 'PUT',
      headers: { Authorization: login, 'Content-Length': 49 * mib },
    })
    const answered = once(call, 'response') as Promise<[IncomingMessage]>
    call.on('error', () => undefined).write(Buffer.alloc(8 * mib))
    while (sizeHere() < mib) await new Promise((done) => setTimeout(done, 20))
    // What is still to come would fit, but only into what is kept.
    disk.fill(51 * mib - sizeHere())
    call.end(Buffer.alloc(41 * mib))
    const [answer] = await answered
    answer.resume()
    expect(answer.statusCode).toBe(507)
    call.destroy()
    expect(existsSync(join(home, 'large'))).toBe(false)
  })

  it('is looked at after small uploads, whatever one of them said of its size', async () => {
    const headers = { 'transfer-encoding': 'chunked', 'x-expected-entity-length': '-1e18' }
    expect((await alice.put('small', '', headers)).status).toBe(201)
    disk.fill(4 * mib)
    const statuses = new Set<number>()
    for (let count = 0; count < 40 && !statuses.has(507); count += 1) {
      statuses.add((await alice.put('small', Buffer.alloc(mib / 2))).status)
    }
    expect([...statuses]).toEqual([204, 507])
  })
})
