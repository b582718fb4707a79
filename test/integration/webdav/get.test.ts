import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  expectDiscreet,
  expectRefused,
  mine,
  startScratch,
  type Reply,
  type Scratch,
} from './support.ts'

let scratch: Scratch
const digits = '0123456789'
const large = Buffer.alloc(300_000, 'abcdefghij')

beforeAll(async () => {
  scratch = await startScratch()
  writeFileSync(join(scratch.home, 'd.txt'), digits)
  writeFileSync(join(scratch.home, 'large.bin'), large)
  writeFileSync(join(scratch.home, 'empty'), '')
  for (const name of ['active.html', 'straße.svg']) writeFileSync(join(scratch.home, name), '<p>')
  mkdirSync(join(scratch.home, 'dir'))
})

afterAll(() => scratch.stop())

const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> =>
  scratch.send({ method, path: mine(path), as: 'alice', headers })

describe('GET and HEAD', () => {
  const described = ['d.txt', 'large.bin', 'empty', 'dir/', '', 'active.html', 'stra%C3%9Fe.svg']

  it.each(described)('agree on %j', async (path) => {
    const got = await get(path)
    const head = await get(path, {}, 'HEAD')
    const { date: _one, ...fields } = got.headers
    const { date: _other, ...headFields } = head.headers
    expect([got.status, head.status]).toEqual([200, 200])
    expect(headFields).toEqual(fields)
    expect(head.bytes.length).toBe(0)
    expect(got.bytes.length).toBe(Number(got.headers['content-length']))
    expectDiscreet(got)
  })

  it.each<[string, Record<string, string>, number]>([
    ['missing', {}, 404],
    ['d.txt', { 'If-None-Match': '*' }, 304],
    ['d.txt', { 'If-Modified-Since': 'Fri, 01 Jan 2100 00:00:00 GMT' }, 304],
    ['d.txt', { 'If-Match': '"x"' }, 412],
    ['d.txt', { If: '(["x"])' }, 412],
    ['d.txt', { If: '(' }, 400],
    ['d.txt', { Range: 'items=0-1' }, 200],
    ['dir/', { Range: 'bytes=0-1' }, 200],
    ['dir/', { 'If-Match': '"x"' }, 412],
  ])('agree on %j with %j', async (path, conditions, status) => {
    const got = await get(path, conditions)
    const head = await get(path, conditions, 'HEAD')
    const { date: _one, ...fields } = got.headers
    const { date: _other, ...headFields } = head.headers
    expect([got.status, head.status]).toEqual([status, status])
    expect(headFields).toEqual(fields)
    expect(head.bytes.length).toBe(0)
  })

  it('describes what it sends', async () => {
    const { headers, body } = await get('d.txt')
    expect(body).toBe(digits)
    expect(headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
    })
    expect(headers.etag).toMatch(/^"[^"]+"$/)
    expect(headers['last-modified']).toMatch(/GMT$/)
    expect(headers['content-disposition']).toBeUndefined()
    expect((await get('large.bin')).bytes.equals(large)).toBe(true)
  })

  it.each([
    'page.html',
    'PAGE.HTM',
    'page.shtml',
    'page.xhtml',
    'page.xht',
    'image.svg',
    'image.svgz',
    'feed.xml',
    'feed.rss',
    'sheet.xsl',
    'sheet.xslt',
    'math.mathml',
    'window.xul',
    'archive.mht',
    'archive.mhtml',
    'letter.eml',
    'film.swf',
    'component.htc',
  ])('S50: makes %s a download, whole, in part and for HEAD', async (name) => {
    writeFileSync(join(scratch.home, name), '<script>alert(1)</script>')
    const part = { Range: 'bytes=0-7' }
    const parts = { Range: 'bytes=0-1, 4-5' }
    for (const { headers } of [
      await get(name),
      await get(name, part),
      await get(name, parts),
      await get(name, {}, 'HEAD'),
    ]) {
      expect(headers).toMatchObject({
        'content-disposition': `attachment; filename*=UTF-8''${name}`,
        'content-security-policy': 'sandbox',
        'x-content-type-options': 'nosniff',
      })
    }
  })

  it.each([
    'no-extension',
    'odd.constructor',
    'odd.__proto__',
    'page.html ',
    'page.html.',
    '.html',
  ])('S50: says of %j that nobody knows what it is', async (name) => {
    writeFileSync(join(scratch.home, name), '<script>alert(1)</script>')
    expect((await get(encodeURIComponent(name))).headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-security-policy': 'sandbox',
      'x-content-type-options': 'nosniff',
    })
  })

  it('shows a directory as a page without scripts', async () => {
    mkdirSync(join(scratch.home, 'list'))
    writeFileSync(join(scratch.home, 'list', '<b>&"#?.txt'), '')
    const { headers, body } = await get('list/')
    expect((await get('list')).body).toBe(body)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(headers['content-security-policy']).toContain('sandbox')
    expect(body).toContain('&lt;b&gt;&amp;&quot;#?.txt')
    expect(body).toContain('href="/dav/files/alice/list/%3Cb%3E%26%22%23%3F.txt"')
    expect(body).not.toMatch(/<b>|<script|\son\w+=/)
  })

  it('puts directories first, and names in the order people expect', async () => {
    const names = ['Zebra', 'apple 10', 'apple 9', 'Äpfel', '12:30', ' blank']
    for (const name of names) writeFileSync(join(scratch.home, 'list', name), '')
    mkdirSync(join(scratch.home, 'list', 'zoo'))
    const { body } = await get('list/')
    const shown = [...body.matchAll(/<td><a [^>]*>([^<]*)</g)].map(([, name]) => name)
    const files = [' blank', '&lt;b&gt;&amp;&quot;#?.txt', '12:30']
    expect(shown).toEqual(['zoo/', ...files, 'Äpfel', 'apple 9', 'apple 10', 'Zebra'])
  })
})

describe('Range', () => {
  const single: [string, string, string][] = [
    ['bytes=0-0', 'bytes 0-0/10', '0'],
    ['bytes=2-4', 'bytes 2-4/10', '234'],
    ['bytes=7-', 'bytes 7-9/10', '789'],
    ['bytes=7-99', 'bytes 7-9/10', '789'],
    ['bytes=-3', 'bytes 7-9/10', '789'],
    ['bytes=-99', 'bytes 0-9/10', digits],
    ['bytes=20-30, 1-2', 'bytes 1-2/10', '12'],
    // RFC 9110 §5.6.1.2: empty members of a list are nothing.
    ['bytes=,2-4, ,', 'bytes 2-4/10', '234'],
    ['Bytes=0-0', 'bytes 0-0/10', '0'],
  ]

  it.each(single)('answers %s', async (Range, contentRange, body) => {
    const reply = await get('d.txt', { Range })
    expect([reply.status, reply.headers['content-range'], reply.body]).toEqual([
      206,
      contentRange,
      body,
    ])
    expect(reply.headers['content-length']).toBe(String(body.length))
  })

  it('describes a part as it describes the whole', async () => {
    const omit = ({ headers }: Reply): Record<string, unknown> => {
      const { date: _date, 'content-length': _length, 'content-range': _range, ...rest } = headers
      return rest
    }
    const whole = omit(await get('d.txt'))
    expect(omit(await get('d.txt', { Range: 'bytes=2-4' }))).toEqual(whole)
    const { 'content-type': type, ...rest } = omit(await get('d.txt', { Range: 'bytes=0-1, 4-5' }))
    expect({ ...rest, 'content-type': whole['content-type'] }).toEqual(whole)
    expect(type).toMatch(/^multipart\/byteranges/)
  })

  it.each<[string, Record<string, string>, number]>([
    ['If-Match fails', { 'If-Match': '"x"' }, 412],
    ['If-Unmodified-Since fails', { 'If-Unmodified-Since': 'Fri, 01 Jan 1999 00:00:00 GMT' }, 412],
    ['If fails', { If: '(["x"])' }, 412],
    ['the client has it', { 'If-None-Match': '*' }, 304],
    ['If-Range fails', { 'If-Range': '"x"' }, 200],
  ])('RFC 9110 §13.2.2: comes last, when %s', async (_, conditions, status) => {
    for (const Range of ['bytes=0-1', 'bytes=0-1, 4-5', 'bytes=99-', 'bytes=x']) {
      const reply = await get('d.txt', { Range, ...conditions })
      expect([reply.status, reply.headers['content-range']]).toEqual([status, undefined])
    }
  })

  it('takes If-Range without Range for nothing', async () => {
    const { etag = '' } = (await get('d.txt')).headers
    expect((await get('d.txt', { 'If-Range': etag })).status).toBe(200)
    expect((await get('d.txt', { 'If-Range': '"x"' })).status).toBe(200)
  })

  it.each(['bytes=10-', 'bytes=20-30', 'bytes=8-4', 'bytes=-0', 'bytes=x-y', 'bytes=', 'bytes=1'])(
    'S49: answers %s with 416',
    async (Range) => {
      const reply = await expectRefused(
        scratch,
        { method: 'GET', path: mine('d.txt'), as: 'alice', headers: { Range } },
        416,
      )
      expect(reply.headers['content-range']).toBe('bytes */10')
    },
  )

  it.each([
    'items=0-1',
    'nonsense',
    'bytes=0-,0-',
    `bytes=${Array.from({ length: 17 }, () => '0-0').join(',')}`,
  ])('ignores %s', async (Range) => {
    const reply = await get('d.txt', { Range })
    expect([reply.status, reply.body]).toEqual([200, digits])
  })

  it('sends several parts with their exact length', async () => {
    const reply = await get('d.txt', { Range: 'bytes=0-1, 4-5, -2' })
    expect(reply.status).toBe(206)
    const [, boundary = ''] =
      /^multipart\/byteranges; boundary=(\S+)$/.exec(reply.headers['content-type'] ?? '') ?? []
    expect(boundary).not.toBe('')
    expect(Number(reply.headers['content-length'])).toBe(reply.bytes.length)
    const part = (range: string, text: string): string =>
      `\r\n--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Range: bytes ${range}/10\r\n\r\n${text}`
    expect(reply.body).toBe(
      `${part('0-1', '01')}${part('4-5', '45')}${part('8-9', '89')}\r\n--${boundary}--\r\n`,
    )
  })

  it('sends a part of a large file, and several', async () => {
    const reply = await get('large.bin', { Range: 'bytes=100000-200000' })
    expect(reply.bytes.equals(large.subarray(100_000, 200_001))).toBe(true)
    const parts = await get('large.bin', { Range: 'bytes=0-99999, 400000-, -100000' })
    expect(Number(parts.headers['content-length'])).toBe(parts.bytes.length)
    for (const part of [large.subarray(0, 100_000), large.subarray(200_000)]) {
      expect(parts.bytes.includes(part)).toBe(true)
    }
    expect(parts.body.match(/Content-Range: .*/g)).toEqual([
      'Content-Range: bytes 0-99999/300000',
      'Content-Range: bytes 200000-299999/300000',
    ])
  })

  it('knows no range of an empty file, and none for HEAD', async () => {
    expect((await get('empty', { Range: 'bytes=0-' })).status).toBe(416)
    expect((await get('d.txt', { Range: 'bytes=0-1' }, 'HEAD')).status).toBe(200)
  })

  it('honours If-Range by tag, and by a date that is old enough', async () => {
    const { headers } = await get('d.txt')
    const etag = headers.etag ?? ''
    const ask = async (ifRange: string): Promise<number> =>
      (await get('d.txt', { Range: 'bytes=0-1', 'If-Range': ifRange })).status
    expect(await ask(etag)).toBe(206)
    expect(await ask(`W/${etag}`)).toBe(200)
    expect(await ask('"other"')).toBe(200)
    expect(await ask('nonsense')).toBe(200)
    utimesSync(join(scratch.home, 'd.txt'), 1_000_000_000, 1_000_000_000)
    expect(await ask('Sun, 09 Sep 2001 01:46:40 GMT')).toBe(206)
    expect(await ask('Sun, 09 Sep 2001 01:46:41 GMT')).toBe(200)
  })
})

describe('X-OC-Mtime', () => {
  const put = (body: string, field: string) =>
    scratch.send({
      method: 'PUT',
      path: mine('dated.txt'),
      as: 'alice',
      headers: { 'X-OC-Mtime': field },
      body,
    })
  const head = async () =>
    (await scratch.send({ method: 'HEAD', path: mine('dated.txt'), as: 'alice' })).headers

  it('dates a file, and different contents of one date keep different entity tags', async () => {
    const tags = new Set<string | undefined>()
    for (const body of ['one', 'two', 'six', 'ten']) {
      const reply = await put(body, '1000000000')
      expect(reply.headers['x-oc-mtime']).toBe('accepted')
      const { etag, 'last-modified': modified } = await head()
      expect([etag, modified]).toEqual([reply.headers.etag, 'Sun, 09 Sep 2001 01:46:40 GMT'])
      tags.add(etag)
    }
    expect(tags.size).toBe(4)
  })

  it.each(['', 'yesterday', '-1', '1e9', '0x10', '123456789012'])(
    'is ignored as %j',
    async (field) => {
      const before = Date.now()
      const reply = await put('now', field)
      expect([reply.status, reply.headers['x-oc-mtime']]).toEqual([204, undefined])
      const { 'last-modified': modified = '' } = await head()
      expect(Date.parse(modified)).toBeGreaterThan(before - 2000)
    },
  )
})
