import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { lockInfo } from '../locking.ts'
import { startScratch, type Reply, type Scratch } from '../support.ts'
import { clientOf, found, hrefs, places, xml, type Client } from './client.ts'

/** What the WebDAV redirector of Windows, and Explorer on top of it, are known to send. */
let scratch: Scratch
let windows: Client

beforeEach(async () => {
  scratch = await startScratch()
})

afterEach(() => scratch.stop())

const always = {
  'User-Agent': 'Microsoft-WebDAV-MiniRedir/10.0.22621',
  'Cache-Control': 'no-cache',
  Pragma: 'no-cache',
  translate: 'f',
}
const text = { 'Content-Type': 'text/xml; charset="utf-8"' }
const owner = '<D:owner><D:href>DESKTOP\\alice</D:href></D:owner>'

/** Never with a body: everything is asked for. */
const look = (path: string, status: number, depth = '0'): Promise<Reply> =>
  windows.step('PROPFIND', path, status, { headers: { Depth: depth, 'Content-Length': '0' } })

/** Without a Depth. */
const lock = (path: string, status: number): Promise<string> =>
  windows.lock(path, status, {
    headers: { ...text, Timeout: 'Second-3600' },
    body: lockInfo({ owner }),
  })

const modified = 'Tue, 02 Jan 2024 11:30:00 GMT'
const attributes = (bits: string): string =>
  `<Z:Win32CreationTime>Mon, 01 Jan 2024 10:00:00 GMT</Z:Win32CreationTime>` +
  `<Z:Win32LastAccessTime>${modified}</Z:Win32LastAccessTime>` +
  `<Z:Win32LastModifiedTime>${modified}</Z:Win32LastModifiedTime>` +
  `<Z:Win32FileAttributes>${bits}</Z:Win32FileAttributes>`

async function patch(path: string, token: string, properties: string): Promise<void> {
  const reply = await windows.step('PROPPATCH', path, 207, {
    headers: { ...text, If: `(<${token}>)` },
    body: xml(
      '<D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:"><D:set><D:prop>' +
        `${properties}</D:prop></D:set></D:propertyupdate>`,
    ),
  })
  // Anything else and Explorer says that the file cannot be copied.
  expect(reply.body).toContain('HTTP/1.1 200 OK')
  expect(reply.body).not.toMatch(/HTTP\/1.1 4/)
}

const onDisk = (name: string): string => readFileSync(join(scratch.home, 'shared', name), 'utf8')

describe.each(places)('Windows Explorer, as $who', ({ as, base }) => {
  beforeEach(() => {
    windows = clientOf(scratch, { as, base, always })
  })

  it('connects: class 2, and the words that it looks for', async () => {
    const options = await windows.step('OPTIONS', '', 200)
    expect(options.headers['ms-author-via']).toBe('DAV')
    expect(options.headers['dav']).toMatch(/\b1\b.*\b2\b/)
    expect(options.headers.allow).toMatch(/PROPFIND.*PROPPATCH.*LOCK.*UNLOCK/)
    const root = await look('', 207)
    expect(hrefs(root)).toEqual([base])
    expect(found(root)[0]).toMatch(/<D:collection\/>.*<D:getlastmodified>.*<D:creationdate>/s)
    for (const name of ['desktop.ini', 'Thumbs.db', 'folder.jpg']) await look(name, 404)
  })

  it('lists without saying which properties', async () => {
    await windows.step('PUT', 'Bericht%20%C3%BC%20%26%20mehr.txt', 201, { body: 'abc' })
    const list = await look('', 207, '1')
    expect(hrefs(list)).toEqual([base, `${base}Bericht%20%C3%BC%20%26%20mehr.txt`])
    const [, member = ''] = found(list)
    expect(member).toContain('<D:getcontentlength>3</D:getcontentlength>')
    expect(member).toContain('<D:displayname>Bericht ü &amp; mehr.txt</D:displayname>')
  })

  it('copies a file here: empty, lock, attributes, HEAD, content, attributes, unlock', async () => {
    await look('a.txt', 404)
    await windows.step('PUT', 'a.txt', 201, { headers: { 'Content-Length': '0' } })
    const token = await lock('a.txt', 200)
    await patch('a.txt', token, attributes('00000000'))
    const head = await windows.step('HEAD', 'a.txt', 200)
    expect(head.headers['content-length']).toBe('0')
    const If = `(<${token}>)`
    await windows.step('PUT', 'a.txt', 204, { headers: { If }, body: 'content' })
    await patch('a.txt', token, attributes('00000020'))
    await windows.unlock('a.txt', token)
    expect(onDisk('a.txt')).toBe('content')
    const { body } = await look('a.txt', 207)
    expect(body).toMatch(new RegExp(`Win32LastModifiedTime[^>]*>${modified}<`))
    expect(body).toMatch(/Win32FileAttributes[^>]*>00000020</)
    expect(body).toContain('<D:getcontentlength>7</D:getcontentlength>')
  })

  it('locks first, where there is nothing yet', async () => {
    const token = await lock('b.txt', 201)
    await windows.step('PUT', 'b.txt', 423, { headers: { 'Content-Length': '0' } })
    const headers = { If: `(<${token}>)`, 'Content-Length': '0' }
    await windows.step('PUT', 'b.txt', 204, { headers })
    await patch('b.txt', token, attributes('00000020'))
    await windows.unlock('b.txt', token)
    await windows.unlock('b.txt', token, 409)
    expect(onDisk('b.txt')).toBe('')
  })

  it('renames, and attributes go along', async () => {
    await windows.step('PUT', 'New%20Text%20Document.txt', 201, { body: 'x' })
    const token = await lock('New%20Text%20Document.txt', 200)
    await patch('New%20Text%20Document.txt', token, attributes('00000021'))
    await windows.unlock('New%20Text%20Document.txt', token)
    await windows.step('PUT', 'taken.txt', 201, { body: 'taken' })
    const onto = (name: string, overwrite: string) => ({
      headers: { Destination: windows.url(name), Overwrite: overwrite },
    })
    await windows.step('MOVE', 'New%20Text%20Document.txt', 412, onto('taken.txt', 'F'))
    expect(onDisk('taken.txt')).toBe('taken')
    await windows.step('MOVE', 'New%20Text%20Document.txt', 201, onto('Plan.txt', 'F'))
    expect((await look('Plan.txt', 207)).body).toMatch(/Win32FileAttributes[^>]*>00000021</)
    await windows.step('MOVE', 'Plan.txt', 204, onto('taken.txt', 'T'))
    expect(onDisk('taken.txt')).toBe('x')
  })

  it('saves as programs do that replace the locked original', async () => {
    await windows.step('PUT', 'doc.txt', 201, { body: 'old' })
    const token = await lock('doc.txt', 200)
    await windows.step('PUT', '~WRD0001.tmp', 201, { body: 'new' })
    const away = { Destination: windows.url('~WRL0002.tmp'), Overwrite: 'F' }
    await windows.step('MOVE', 'doc.txt', 423, { headers: away })
    await windows.step('MOVE', 'doc.txt', 201, { headers: { ...away, If: `(<${token}>)` } })
    // RFC 4918 §7.5: the lock stayed behind and ended, so nothing is in the way.
    const back = { Destination: windows.url('doc.txt'), Overwrite: 'F' }
    await windows.step('MOVE', '~WRD0001.tmp', 201, { headers: back })
    await windows.unlock('doc.txt', token, 409)
    await windows.step('DELETE', '~WRL0002.tmp', 204)
    expect(readdirSync(join(scratch.home, 'shared'))).toEqual(['doc.txt'])
    expect(onDisk('doc.txt')).toBe('new')
  })

  it('makes a folder, fills it, and removes it with everything', async () => {
    await windows.step('MKCOL', 'New%20folder', 201)
    await windows.step('MKCOL', 'New%20folder', 405)
    await windows.step('PUT', 'New%20folder/x.txt', 201, { body: 'x' })
    expect(hrefs(await look('New%20folder', 207, '1'))).toEqual([
      `${base}New%20folder/`,
      `${base}New%20folder/x.txt`,
    ])
    await windows.step('DELETE', 'New%20folder', 204)
    await look('New%20folder', 404)
  })
})
