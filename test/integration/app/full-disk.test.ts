import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { readdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { basic, davClient } from '../../support/dav-client.ts'
import { mountSmallDisk, whyNotMount, type SmallDisk } from '../../support/small-disk.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

const mib = 1024 * 1024

const lockBody =
  '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
  '<D:locktype><D:write/></D:locktype></D:lockinfo>'

const setProperty = (value: string): string =>
  '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>' +
  `<x xmlns="urn:x">${value}</x></D:prop></D:set></D:propertyupdate>`

const obstacle = whyNotMount()
const name = obstacle === undefined ? 'a full disk' : `a full disk (not here: ${obstacle})`

;(obstacle === undefined ? describe : describe.skip)(name, () => {
  let disk: SmallDisk
  let server: TestServer
  let alice: ReturnType<typeof davClient>
  let home: string

  beforeAll(async () => {
    disk = mountSmallDisk()
    home = join(disk.path, 'files', 'alice')
    server = await startServer({ config: { dataDir: disk.path } })
    const password = await server.addUser('alice')
    alice = davClient(`${server.url}/dav/files/alice/`, basic('alice', password))
    await alice.put('old.txt', 'old')
    await alice.mkcol('d')
    await alice.put('d/large', Buffer.alloc(2 * mib))
  })
  afterEach(() => disk.free())
  afterAll(async () => {
    await server.close()
    disk.unmount()
  })

  /** What was there is there, nothing else is, and everything can be read. */
  async function expectIntact(): Promise<void> {
    expect(readdirSync(home).sort()).toEqual(['d', 'old.txt'])
    expect(readdirSync(join(home, 'd'))).toEqual(['large'])
    expect((await alice.get('old.txt')).text).toBe('old')
    expect((await alice.propfind('', '1')).status).toBe(207)
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    // The client was told; it is no fault of ours.
    expect(server.log.entries().filter(({ level }) => Number(level) >= 50)).toEqual([])
  }

  it('says how much room there is (RFC 4331)', async () => {
    const ask =
      '<D:propfind xmlns:D="DAV:"><D:prop><D:quota-available-bytes/><D:quota-used-bytes/>' +
      '</D:prop></D:propfind>'
    const { text } = await alice.propfind('', '0', ask)
    const { bavail, bfree, blocks, bsize } = statfsSync(home)
    expect(text).toContain(`<D:quota-available-bytes>${bavail * bsize}<`)
    expect(text).toContain(`<D:quota-used-bytes>${(blocks - bfree) * bsize}<`)
    // RFC 4331 §3: only collections have them here, and allprop does not ask for them.
    expect((await alice.propfind('old.txt', '0', ask)).text).not.toContain('200 OK')
    expect((await alice.propfind()).text).not.toContain('quota')
  })

  it('refuses a PUT that says it is too long before a byte of it is read', async () => {
    const headers = { 'content-length': String(32 * mib), expect: '100-continue' }
    const answer = await alice.call('PUT', 'old.txt', { headers })
    expect(answer.status).toBe(507)
    await expectIntact()
  })

  it.each([
    ['an existing file', 'old.txt', 'content-length'],
    ['a new file', 'new.txt', 'content-length'],
    ['an existing file', 'old.txt', 'transfer-encoding'],
    ['a new file', 'new.txt', 'transfer-encoding'],
  ])('refuses what does not fit into %s (%s, %s)', async (_, path, framing) => {
    const body = Buffer.alloc(32 * mib)
    const value = framing === 'content-length' ? String(body.length) : 'chunked'
    expect((await alice.call('PUT', path, { body, headers: { [framing]: value } })).status).toBe(
      507,
    )
    await expectIntact()
  })

  it('refuses a small PUT and a COPY when the disk is full', async () => {
    disk.fill()
    expect((await alice.put('old.txt', 'x'.repeat(10_000))).status).toBe(507)
    expect((await alice.copyOrMove('COPY', 'd', '/dav/files/alice/e')).status).toBe(507)
    await expectIntact()
    disk.free()
    expect((await alice.copyOrMove('COPY', 'd', '/dav/files/alice/e')).status).toBe(201)
    expect((await alice.remove('e')).status).toBe(204)
    const headers = { 'transfer-encoding': 'chunked' }
    expect((await alice.put('old.txt', Buffer.alloc(2 * mib), headers)).status).toBe(204)
    expect((await alice.put('old.txt', 'old')).status).toBe(204)
  })

  it('refuses properties and locks when the database cannot grow, and removes all the same', async () => {
    await alice.put('gone', 'x')
    disk.fill()
    const statuses = new Set<number>()
    for (let index = 0; index < 60 && !statuses.has(507); index += 1) {
      const update = setProperty(`${index}`.repeat(20_000))
      statuses.add((await alice.proppatch(index % 2 === 0 ? 'old.txt' : 'd', update)).status)
      const { status } = await alice.call('LOCK', `d/${index}`, {
        body: lockBody,
        headers: { 'content-type': 'application/xml', depth: '0' },
      })
      statuses.add(status)
    }
    expect([...statuses].filter((status) => ![200, 201, 207, 507].includes(status))).toEqual([])
    expect(statuses).toContain(507)
    expect((await alice.get('old.txt')).text).toBe('old')
    expect((await alice.remove('gone')).status).toBe(204)
    disk.free()
    expect((await alice.proppatch('old.txt', setProperty('after'))).text).toContain('200 OK')
    expect((await alice.mkcol('after')).status).toBe(201)
  })
})
