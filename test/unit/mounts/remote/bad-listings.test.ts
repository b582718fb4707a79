import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { FileTree } from '../../../../src/files/index.ts'
import {
  badSender,
  codeOf,
  collection,
  multistatus,
  namesIn,
  response,
  says,
  sends,
  type Answer,
  type BadSender,
} from './bad-sender.ts'

describe('a sender that answers PROPFIND badly', () => {
  let sender: BadSender
  let tree: FileTree

  beforeAll(async () => {
    sender = await badSender()
  })
  beforeEach(() => {
    sender.requests.length = 0
    tree = sender.treeWith()
  })
  afterAll(() => sender.close())

  const view = async (): Promise<string[] | undefined> =>
    (await tree.view?.([]))?.members.map(({ name }) => name)

  const page = '<!DOCTYPE html><html><body>Log in</body></html>'
  const entity =
    '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaa">]><d:multistatus xmlns:d="DAV:"/>'
  const deep = `${'<a>'.repeat(100)}${'</a>'.repeat(100)}`
  const wide = `<a ${Array.from({ length: 100 }, (_, index) => `a${index}="x"`).join(' ')}/>`
  const many = '<d:x/>'.repeat(2000)

  it.each<[string, Answer, string]>([
    ['a page with 200', sends(200, page, { 'content-type': 'text/html' }), 'sender_garbled'],
    ['a page with 207', sends(207, page, { 'content-type': 'text/html' }), 'sender_garbled'],
    ['nothing', sends(207, ''), 'sender_garbled'],
    ['half a document', sends(207, multistatus(response('/x')).slice(0, -9)), 'sender_garbled'],
    ['two documents', sends(207, multistatus() + multistatus()), 'sender_garbled'],
    ['another document', sends(207, '<propfind xmlns="DAV:"/>'), 'sender_garbled'],
    ['JSON', sends(207, '{"a":1}'), 'sender_garbled'],
    ['bytes', sends(207, Buffer.from([0, 255, 254, 1, 2])), 'sender_garbled'],
    ['latin-1', sends(207, Buffer.from('<a xmlns="DAV:">\xe9</a>', 'latin1')), 'sender_garbled'],
    ['a document type', sends(207, entity), 'sender_garbled'],
    ['depth', says(response('/dav/share/', deep)), 'sender_garbled'],
    ['attributes', says(response('/dav/share/', wide)), 'sender_garbled'],
    ['elements', says(response('/dav/share/', many)), 'sender_garbled'],
    ['long text', says(response('x'.repeat(2_000_000))), 'sender_garbled'],
    ['nothing of what was asked', says(), 'sender_garbled'],
    [
      'gzip',
      sends(207, gzipSync(multistatus()), { 'content-encoding': 'gzip' }),
      'encoding_refused',
    ],
    ['a redirect', sends(302, '', { location: 'http://example.org/' }), 'redirect_refused'],
    ['403', sends(403, 'no'), 'access_denied'],
    ['423', sends(423, 'no'), 'locked'],
    ['429', sends(429, 'no', { 'retry-after': '7' }), 'sender_unreachable'],
    ['500', sends(500, page), 'sender_unreachable'],
    ['503', sends(503, page), 'sender_unreachable'],
    ['418', sends(418, page), 'sender_garbled'],
    ['silence', () => undefined, 'timeout'],
    ['a head alone', (_req, res) => res.writeHead(207).flushHeaders(), 'sender_unreachable'],
    ['a reset', (req) => void req.socket.resetAndDestroy(), 'reset'],
  ])('%s', async (_name, given, code) => {
    sender.answer = given
    expect(await codeOf(tree.stat([]))).toBe(code)
  })

  it('a drip of one byte after the other (robustness H5)', async () => {
    sender.answer = (_req, res) => {
      res.writeHead(207)
      const timer = setInterval(() => res.write(' '), 10)
      res.on('close', () => clearInterval(timer))
    }
    expect(await codeOf(tree.stat([]))).toBe('sender_unreachable')
    expect(await codeOf(namesIn(tree))).toBe('sender_unreachable')
    expect(await codeOf(view())).toBe('sender_unreachable')
  })

  it('an endless answer, of something and of nothing', async () => {
    for (const [start, more] of [
      ['<d:multistatus xmlns:d="DAV:">', response('/dav/share/x')],
      ['<d:multistatus xmlns:d="DAV:">', ' '],
      ['<!-- ', 'x'],
      ['<d:multistatus xmlns:d="DAV:" a="', 'x'],
    ] as const) {
      sender.answer = (_req, res) => {
        res.writeHead(207)
        res.write(start)
        const chunk = more.repeat(Math.ceil(65536 / more.length))
        const push = (): void => {
          while (!res.destroyed && res.write(chunk));
        }
        res.on('drain', push)
        push()
      }
      const patient = sender.treeWith({ patienceMs: 10_000, maxListingBytes: 4 * 1024 * 1024 })
      expect(await codeOf(patient.stat([]))).toBe('sender_garbled')
    }
  })

  it('a listing too long to be kept, which is read as it comes', async () => {
    const members = Array.from({ length: 20_000 }, (_, index) => response(`/dav/share/${index}`))
    sender.answer = says(response('/dav/share/', collection), ...members)
    expect(await view()).toBeUndefined()
    expect(await view()).toBeUndefined()
    expect(sender.requests).toHaveLength(1)
    const found = await namesIn(tree)
    expect([found.length, new Set(found).size]).toEqual([20_000, 20_000])
  })

  it.each([
    ['a name that is none', response('/dav/share/a%2Fb')],
    ['a member without a property', '<d:response><d:href>/dav/share/a</d:href></d:response>'],
  ])('%s, and whoever wants the whole is told', async (_name, ignored) => {
    sender.answer = says(response('/dav/share/', collection), response('/dav/share/a'), ignored)
    expect(await namesIn(tree)).toEqual(['a'])
    const whole = async () => Readable.from(tree.list([], { whole: true })).toArray()
    expect(await codeOf(whole())).toBe('left_out')
    sender.answer = says(response('/dav/share/', collection), response('/dav/share/a'))
    expect(await whole()).toHaveLength(1)
  })

  it('hrefs elsewhere, names that are none, and the same twice (robustness H9)', async () => {
    const { host } = new URL(sender.origin)
    sender.answer = says(
      response(`${sender.origin}/dav/share/`, collection),
      response('/dav/share/a'),
      response(`${sender.origin}/dav/share/b`),
      response(`https://${host}/dav/share/c/`, collection),
      response('/dav/share/a'),
      response('/dav/%73hare/%64'),
      response('/dav/share/%C3%A9%23%3F%25'),
      response('/dav/share'),
      ...[
        '/dav/share/x/y',
        '/dav/share/x%2Fy',
        '/dav/share/..',
        '/dav/share/%2e%2e',
        '/dav/share/../share/z',
        '/dav/share//z',
        '/dav/share/z//',
        '/dav/share/%',
        '/dav/share/%00',
        '/dav/share/%ff',
        '/dav/share/a%5Cb',
        '/dav/share/.davmesh-put-x',
        '/dav/share/x?y',
        '/dav/shared/z',
        '/dav/',
        '/',
        'z',
        '',
        '//example.org/dav/share/z',
        'http://example.org/dav/share/z',
        `http://${host}@example.org/dav/share/z`,
        'http://127.0.0.1:1/dav/share/z',
        'file:///dav/share/z',
        `/dav/share/${'x'.repeat(300)}`,
      ].map((href) => response(href)),
    )
    const names = ['a', 'b', 'c', 'd', 'é#?%']
    expect((await namesIn(tree)).sort()).toEqual(names)
    expect((await view())?.sort()).toEqual(names)
  })

  it('other prefixes, and properties that are missing, weak or nonsense', async () => {
    sender.answer = sends(
      207,
      '<multistatus xmlns="DAV:" xmlns:z="urn:z"><response><href> /dav/share/ </href>' +
        '<propstat><prop><resourcetype><collection/><z:other/></resourcetype></prop>' +
        '<status>HTTP/2 200</status></propstat></response>' +
        response('/dav/share/none').replaceAll('d:', '') +
        response(
          '/dav/share/odd',
          '<getcontentlength>many</getcontentlength><getetag>W/"a"</getetag>' +
            '<getlastmodified>yesterday</getlastmodified><resourcetype>x</resourcetype>',
        ).replaceAll('d:', '') +
        response(
          '/dav/share/fine',
          '<getcontentlength> 7 </getcontentlength><getetag>"t"</getetag>',
        )
          .replaceAll('d:', '')
          .replace(
            '</prop>',
            '<getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</getlastmodified></prop>',
          ) +
        response('/dav/share/refused', collection, 'HTTP/1.1 404 Not Found').replaceAll('d:', '') +
        '</multistatus>',
    )
    const found = await tree.view?.([])
    expect(found?.entry).toMatchObject({ name: 'Mount', kind: 'directory', size: 0 })
    expect(found?.members).toMatchObject([
      { name: 'none', kind: 'file', size: 0, modifiedAt: 0 },
      { name: 'odd', kind: 'file', size: 0, modifiedAt: 0 },
      { name: 'fine', size: 7, modifiedAt: 784111777000, etag: '"t"' },
      { name: 'refused', kind: 'file' },
    ])
    for (const { etag } of found?.members ?? []) expect(etag).toMatch(/^"[^"]+"$/)
  })

  it('responses without end, which take no memory', async () => {
    const one = response(`/dav/share/${'x'.repeat(20)}`, '<d:getetag>"e"</d:getetag>')
    const total = Math.floor((4 * 1024 * 1024) / one.length)
    sender.answer = (_req, res) => {
      let sent = 0
      res.writeHead(207).write('<d:multistatus xmlns:d="DAV:">')
      const push = (): void => {
        while (sent < total) {
          sent += 200
          if (!res.write(one.repeat(200))) return void res.once('drain', push)
        }
        res.end('</d:multistatus>')
      }
      push()
    }
    globalThis.gc?.()
    const patient = sender.treeWith({ patienceMs: 10_000 })
    const before = process.memoryUsage().heapUsed
    let highest = 0
    let batches = 0
    for await (const batch of patient.list([])) {
      batches += batch.length
      highest = Math.max(highest, process.memoryUsage().heapUsed - before)
    }
    expect(batches).toBe(1)
    expect(highest).toBeLessThan(64 * 1024 * 1024)
  }, 30_000)
})
