import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startScratch, type Reply, type Scratch } from '../support.ts'
import { asking, clientOf, found, hrefs, places, type Client } from './client.ts'

/** What gvfs, the file access of GNOME, is known to send. */
let scratch: Scratch
let gvfs: Client

beforeEach(async () => {
  scratch = await startScratch()
})

afterEach(() => scratch.stop())

const always = { 'User-Agent': 'gvfs/1.54.2', 'Accept-Language': 'en-us, en;q=0.9' }
const listed = [
  'creationdate',
  'displayname',
  'getcontentlength',
  'getcontenttype',
  'getetag',
  'getlastmodified',
  'resourcetype',
]

const query = (path: string, status: number, depth: string): Promise<Reply> =>
  gvfs.step('PROPFIND', path, status, {
    headers: { 'Content-Type': 'application/xml', Depth: depth },
    body: asking(listed),
  })

const onDisk = (name: string): string => readFileSync(join(scratch.home, 'shared', name), 'utf8')

describe.each(places)('GNOME, as $who', ({ as, base }) => {
  beforeEach(() => {
    gvfs = clientOf(scratch, { as, base, always })
  })

  it('mounts and lists', async () => {
    const options = await gvfs.step('OPTIONS', '', 200)
    expect(options.headers['dav']).toMatch(/\b1\b/)
    expect(options.headers.allow).toMatch(/PROPFIND/)
    expect(found(await query('', 207, '0'))[0]).toContain('<D:collection/>')
    await gvfs.step('PUT', 'a%20b.txt', 201, { body: 'a' })
    await gvfs.step('MKCOL', 'dir/', 201)
    const list = await query('', 207, '1')
    expect(hrefs(list).sort()).toEqual([base, `${base}a%20b.txt`, `${base}dir/`].sort())
    for (const properties of found(list)) {
      expect(properties).toMatch(/creationdate.*displayname.*getetag.*getlastmodified/s)
    }
    const room = await gvfs.step('PROPFIND', '', 207, {
      headers: { 'Content-Type': 'application/xml', Depth: '0' },
      body: asking(['quota-available-bytes', 'quota-used-bytes']),
    })
    expect(found(room)[0]).toMatch(/quota-available-bytes>\d+<.*quota-used-bytes>\d+</)
  })

  it('creates only what is new, and replaces only what it has read', async () => {
    const fresh = { headers: { 'If-None-Match': '*' } }
    const { headers } = await gvfs.step('PUT', 'a.txt', 201, { ...fresh, body: 'one' })
    await gvfs.step('PUT', 'a.txt', 412, { ...fresh, body: 'two' })
    const read = await gvfs.step('GET', 'a.txt', 200)
    expect([read.body, read.headers.etag]).toEqual(['one', headers.etag])
    const etag = read.headers.etag ?? ''
    await gvfs.step('HEAD', 'a.txt', 200, { headers: { 'If-Match': etag } })
    await gvfs.step('PUT', 'a.txt', 204, { headers: { 'If-Match': etag }, body: 'three' })
    // Somebody else was faster.
    await gvfs.step('HEAD', 'a.txt', 412, { headers: { 'If-Match': etag } })
    await gvfs.step('PUT', 'a.txt', 412, { headers: { 'If-Match': etag }, body: 'four' })
    await gvfs.step('PUT', 'b.txt', 412, { headers: { 'If-Match': '*' }, body: 'none' })
    expect(onDisk('a.txt')).toBe('three')
    expect(readdirSync(join(scratch.home, 'shared'))).toEqual(['a.txt'])
  })

  it('reads from where it has sought to', async () => {
    await gvfs.step('PUT', 'a.txt', 201, { body: '0123456789' })
    const rest = await gvfs.step('GET', 'a.txt', 206, { headers: { Range: 'bytes=4-' } })
    expect([rest.body, rest.headers['content-range']]).toEqual(['456789', 'bytes 4-9/10'])
    await gvfs.step('GET', 'a.txt', 416, { headers: { Range: 'bytes=10-' } })
  })

  it('moves and copies, never over something unless told to', async () => {
    await gvfs.step('PUT', 'a.txt', 201, { body: 'a' })
    await gvfs.step('PUT', 'b.txt', 201, { body: 'b' })
    const onto = (name: string, overwrite: string) => ({
      headers: { Destination: gvfs.url(name), Overwrite: overwrite },
    })
    await gvfs.step('MOVE', 'a.txt', 412, onto('b.txt', 'F'))
    await gvfs.step('COPY', 'a.txt', 412, onto('b.txt', 'F'))
    expect([onDisk('a.txt'), onDisk('b.txt')]).toEqual(['a', 'b'])
    await gvfs.step('COPY', 'a.txt', 201, onto('c.txt', 'F'))
    await gvfs.step('MOVE', 'a.txt', 204, onto('b.txt', 'T'))
    expect(onDisk('b.txt')).toBe('a')
    expect(readdirSync(join(scratch.home, 'shared')).sort()).toEqual(['b.txt', 'c.txt'])
  })

  it('renames and copies folders, with and without the slash', async () => {
    await gvfs.step('MKCOL', 'dir/', 201)
    await gvfs.step('PUT', 'dir/deep.txt', 201, { body: 'deep' })
    const to = (name: string) => ({ headers: { Destination: gvfs.url(name), Overwrite: 'F' } })
    await gvfs.step('MOVE', 'dir/', 201, to('one/'))
    await gvfs.step('MOVE', 'one', 201, to('two'))
    const whole = { ...to('three/').headers, Depth: 'infinity' }
    await gvfs.step('COPY', 'two/', 201, { headers: whole })
    expect([onDisk('two/deep.txt'), onDisk('three/deep.txt')]).toEqual(['deep', 'deep'])
    await gvfs.step('COPY', 'two/', 403, to('two/inside/'))
    await gvfs.step('DELETE', 'two/', 204)
    await query('two/', 404, '0')
  })

  it('saves by a temporary name', async () => {
    await gvfs.step('PUT', 'a.txt', 201, { body: 'old' })
    const name = '.goutputstream-X1Y2Z3'
    await gvfs.step('PUT', name, 201, { headers: { 'Content-Length': '3' }, body: 'new' })
    const headers = { Destination: gvfs.url('a.txt'), Overwrite: 'T' }
    await gvfs.step('MOVE', name, 204, { headers })
    expect(readdirSync(join(scratch.home, 'shared'))).toEqual(['a.txt'])
    expect(onDisk('a.txt')).toBe('new')
  })
})
