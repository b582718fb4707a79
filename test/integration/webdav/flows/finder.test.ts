import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { lockInfo } from '../locking.ts'
import { startScratch, type Reply, type Scratch } from '../support.ts'
import { asking, clientOf, found, hrefs, places, xml, type Client } from './client.ts'

/** What the WebDAV file system of macOS, and Finder on top of it, are known to send. */
let scratch: Scratch
let finder: Client

beforeEach(async () => {
  scratch = await startScratch()
})

afterEach(() => scratch.stop())

const always = { 'User-Agent': 'WebDAVFS/3.0.0 (03008000) Darwin/23.5.0 (arm64)', Accept: '*/*' }
const text = { 'Content-Type': 'text/xml' }
const attributes = ['getlastmodified', 'getcontentlength', 'creationdate', 'resourcetype']
const owner = '<D:owner><D:href>http://www.apple.com/webdav_fs/</D:href></D:owner>'

const stat = (path: string, status: number): Promise<Reply> =>
  finder.step('PROPFIND', path, status, {
    headers: { ...text, Depth: '0' },
    body: asking(attributes),
  })

const lock = (path: string, status: number): Promise<string> =>
  finder.lock(path, status, {
    headers: { ...text, Depth: '0', Timeout: 'Second-600' },
    body: lockInfo({ owner }),
  })

const onDisk = (name: string): string => readFileSync(join(scratch.home, 'shared', name), 'utf8')

describe.each(places)('Finder, as $who', ({ as, base }) => {
  beforeEach(() => {
    finder = clientOf(scratch, { as, base, always })
  })

  it('mounts: class 2, attributes, room', async () => {
    const options = await finder.step('OPTIONS', '', 200)
    // Without class 2 the volume is mounted read-only.
    expect(options.headers['dav']).toMatch(/\b2\b/)
    for (let again = 0; again < 3; again++) {
      expect(found(await stat('', 207))[0]).toContain('<D:collection/>')
    }
    const room = await finder.step('PROPFIND', '', 207, {
      headers: { ...text, Depth: '0' },
      body: asking(['quota-available-bytes', 'quota-used-bytes', 'quota', 'quotaused']),
    })
    expect(room.body).toMatch(/<D:quota-available-bytes>\d+</)
    expect(room.body).toMatch(/<D:quota-used-bytes>\d+</)
    expect(room.body).toContain('<D:quota/><D:quotaused/></D:prop><D:status>HTTP/1.1 404')
  })

  it('looks for what every Mac looks for, and is told that it is not there', async () => {
    const names = ['._.', '.DS_Store', '.hidden', '.metadata_never_index', '.Spotlight-V100']
    for (const name of [...names, 'Backups.backupdb', 'mach_kernel']) await stat(name, 404)
  })

  it('lists with a property of its own', async () => {
    await finder.step('PUT', 'a.txt', 201, { body: 'a' })
    const apple = '<A:appledoubleheader xmlns:A="http://www.apple.com/webdav_fs/props/"/>'
    const body = asking(attributes).replace('</D:prop>', `${apple}</D:prop>`)
    const list = await finder.step('PROPFIND', '', 207, { headers: { ...text, Depth: '1' }, body })
    expect(hrefs(list)).toEqual([base, `${base}a.txt`])
    expect(list.body).toContain('<D:getcontentlength>1</D:getcontentlength>')
    expect(list.body).toMatch(/appledoubleheader[^<]*<\/D:prop><D:status>HTTP\/1.1 404/)
  })

  it('writes a new file: empty, locked, then chunked with the length it expects', async () => {
    const name = 'Caf%C3%A9%20%231.txt'
    await stat(name, 404)
    await finder.step('PUT', name, 201, { headers: { 'Content-Length': '0' } })
    const token = await lock(name, 200)
    const body = Buffer.alloc(300_000, 'x')
    const If = `(<${token}>)`
    await finder.step('PUT', name, 204, {
      headers: { If, 'X-Expected-Entity-Length': String(body.length) },
      body,
      chunked: true,
    })
    expect(found(await stat(name, 207))[0]).toContain('<D:getcontentlength>300000<')
    await finder.unlock(name, token)
    expect(onDisk('Café #1.txt')).toHaveLength(300_000)
  })

  it('is told at once that there is no room for what it is about to send', async () => {
    const headers = { 'X-Expected-Entity-Length': String(Number.MAX_SAFE_INTEGER) }
    await finder.step('PUT', 'huge.mov', 507, { headers, body: 'begin', chunked: true })
    await stat('huge.mov', 404)
  })

  it.each(['-1e18', '1e400', '1.5', 'many', ''])(
    'may say that it expects "%s" bytes',
    async (size) => {
      const headers = { 'X-Expected-Entity-Length': size }
      await finder.step('PUT', 'odd.bin', 201, { headers, body: 'odd', chunked: true })
      expect(onDisk('odd.bin')).toBe('odd')
    },
  )

  it('locks a name before there is a file', async () => {
    const token = await lock('new.bin', 201)
    await finder.step('PUT', 'new.bin', 423, { body: 'without a token' })
    await finder.step('PUT', 'new.bin', 204, {
      headers: { If: `(<${token}>)`, 'X-Expected-Entity-Length': '3' },
      body: 'new',
    })
    await finder.unlock('new.bin', token)
    expect(onDisk('new.bin')).toBe('new')
  })

  it('keeps its attributes in AppleDouble files, and takes them along', async () => {
    await finder.step('PUT', 'photo.jpg', 201, { body: 'photo' })
    await finder.step('PUT', '._photo.jpg', 201, { headers: { 'Content-Length': '0' } })
    const token = await lock('._photo.jpg', 200)
    const header = Buffer.concat([Buffer.from('0005160700020000', 'hex'), Buffer.alloc(4088)])
    const If = `(<${token}>)`
    await finder.step('PUT', '._photo.jpg', 204, { headers: { If }, body: header, chunked: true })
    await finder.unlock('._photo.jpg', token)
    const part = await finder.step('GET', '._photo.jpg', 206, { headers: { Range: 'bytes=0-7' } })
    expect(part.bytes.toString('hex')).toBe('0005160700020000')
    await finder.step('PUT', '.DS_Store', 201, { body: 'view' })
    for (const [from, to] of [
      ['photo.jpg', 'Sun.jpg'],
      ['._photo.jpg', '._Sun.jpg'],
    ] as const) {
      await stat(to, 404)
      const headers = { Destination: finder.url(to), Overwrite: 'T' }
      await finder.step('MOVE', from, 201, { headers })
      await stat(from, 404)
    }
    expect(readdirSync(join(scratch.home, 'shared')).sort()).toEqual([
      '.DS_Store',
      '._Sun.jpg',
      'Sun.jpg',
    ])
  })

  it('is told that times are not its own, property by property, and nothing is changed', async () => {
    await finder.step('PUT', 'a.txt', 201, { body: 'a' })
    const before = found(await stat('a.txt', 207))
    const times =
      '<D:creationdate>2001-02-03T04:05:06Z</D:creationdate>' +
      '<D:getlastmodified>Sat, 03 Feb 2001 04:05:06 GMT</D:getlastmodified>'
    const own = '<A:label xmlns:A="http://www.apple.com/webdav_fs/props/">red</A:label>'
    const patch = (properties: string) => ({
      headers: text,
      body: xml(
        `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>${properties}</D:prop></D:set>` +
          '</D:propertyupdate>',
      ),
    })
    const refused = await finder.step('PROPPATCH', 'a.txt', 207, patch(times + own))
    expect(refused.body).toMatch(/creationdate\/><D:getlastmodified\/>.*403 Forbidden.*label.*424/s)
    expect(found(await stat('a.txt', 207))).toEqual(before)
    const kept = await finder.step('PROPPATCH', 'a.txt', 207, patch(own))
    expect(kept.body).toContain('HTTP/1.1 200 OK')
  })

  it('makes, renames and empties folders', async () => {
    await finder.step('MKCOL', 'untitled%20folder/', 201)
    await finder.step('PUT', 'untitled%20folder/a.txt', 201, { body: 'a' })
    const headers = { Destination: finder.url('Trip/'), Overwrite: 'T' }
    await finder.step('MOVE', 'untitled%20folder/', 201, { headers })
    expect(onDisk('Trip/a.txt')).toBe('a')
    const token = await lock('Trip/a.txt', 200)
    await finder.step('DELETE', 'Trip/a.txt', 423)
    await finder.step('DELETE', 'Trip/a.txt', 204, { headers: { If: `(<${token}>)` } })
    await finder.step('DELETE', 'Trip/', 204)
  })
})
