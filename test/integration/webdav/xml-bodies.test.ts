import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  credentials,
  expectRefused,
  mine,
  startScratch,
  type Reply,
  type Scratch,
  type Sent,
} from './support.ts'

let scratch: Scratch

beforeAll(async () => {
  scratch = await startScratch()
  for (const name of ['a.txt', 'b.txt']) writeFileSync(join(scratch.home, name), 'a')
})

afterAll(() => scratch.stop())

const propfind = (body: string | Buffer, headers: Record<string, string> = {}): Sent => ({
  method: 'PROPFIND',
  path: mine('a.txt'),
  as: 'alice',
  body,
  headers: { Depth: '0', 'Content-Type': 'application/xml', ...headers },
})

const good = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
const inner = (xml: string): string =>
  `<D:propfind xmlns:D="DAV:"><D:prop>${xml}</D:prop></D:propfind>`
const latin1 = Buffer.concat([Buffer.from('<a>'), Buffer.of(0xff), Buffer.from('</a>')])

const rows: [string, string | Buffer, number][] = [
  ['an unclosed tag', '<propfind xmlns="DAV:"><prop>', 400],
  ['two roots', `${good}${good}`, 400],
  ['plain text', 'hello', 400],
  ['JSON', '{"propfind":{"prop":["getetag"]}}', 400],
  ['white space', '  \n', 400],
  ['an undeclared prefix', '<D:propfind><D:allprop/></D:propfind>', 400],
  ['an empty namespace declaration', inner('<ns:x xmlns:ns=""/>'), 400],
  ['a duplicate attribute', '<propfind xmlns="DAV:" a="" a=""><allprop/></propfind>', 400],
  ['a control character', inner('<x>\u0001</x>'), 400],
  ['a null reference', inner('<x>&#0;</x>'), 400],
  ['an unknown entity', inner('<x>&lol;</x>'), 400],
  ['another root', '<allprop xmlns="DAV:"/>', 400],
  ['the root in no namespace', '<propfind><allprop/></propfind>', 400],
  ['nothing asked', '<propfind xmlns="DAV:"/>', 400],
  ['two things asked', '<propfind xmlns="DAV:"><allprop/><propname/></propfind>', 400],
  ['an internal entity', `<!DOCTYPE x [<!ENTITY e "boom">]>${inner('<x>&e;</x>')}`, 403],
  ['an external entity', `<!DOCTYPE x SYSTEM "file:///etc/passwd">${good}`, 403],
  [
    'an external parameter',
    `<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/">%p;]>${good}`,
    403,
  ],
  ['1,001 elements', inner('<x xmlns=""/>'.repeat(1000)), 400],
  ['33 levels', inner('<D:x>'.repeat(31) + '</D:x>'.repeat(31)), 400],
  ['16,000 levels', '<a>'.repeat(16_000), 400],
  [
    '65 attributes',
    inner(`<x ${Array.from({ length: 65 }, (_, i) => `a${i}=""`).join(' ')}/>`),
    400,
  ],
  ['invalid UTF-8', latin1, 400],
  ['UTF-16 by declaration', `<?xml version="1.0" encoding="utf-16"?>${good}`, 415],
  ['more than 256 KiB', inner(`<x>${'y'.repeat(300 * 1024)}</x>`), 413],
]

describe('F: XML that is not acceptable', () => {
  it.each(rows)('refuses %s', async (_, body, status) => {
    const started = performance.now()
    const counted = await expectRefused(scratch, propfind(body), status)
    const chunked = await expectRefused(scratch, { ...propfind(body), chunked: true }, status)
    expect(chunked.body).toBe(counted.body)
    expect(performance.now() - started).toBeLessThan(1500)
    if (status === 403) expect(counted.body).toContain('<D:no-external-entities/>')
  })

  it.each(rows)('refuses %s of a PROPPATCH and of a LOCK as well', async (_, body, status) => {
    for (const method of ['PROPPATCH', 'LOCK']) {
      for (const chunked of [false, true]) {
        await expectRefused(scratch, { ...propfind(body), method, chunked }, status)
      }
    }
  })

  const types: [string, number][] = [
    ['text/plain', 415],
    ['application/json', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/xml; charset=iso-8859-1', 415],
    ['text/xml; charset="utf-16"', 415],
    ['text/xml; charset="UTF-8"', 207],
    ['application/xml;charset=utf-8', 207],
  ]

  it.each(types)('answers %s with %i', async (type, status) => {
    const reply = await scratch.send(propfind(good, { 'Content-Type': type }))
    expect(reply.status).toBe(status)
  })

  it('refuses a compressed body', async () => {
    await expectRefused(scratch, propfind(good, { 'Content-Encoding': 'gzip' }), 415)
  })

  it.each(['PROPFIND', 'PROPPATCH', 'LOCK'])(
    'G1: refuses 20 GB of a %s at once',
    async (method) => {
      const started = performance.now()
      const heard = await scratch.raw(
        `${method} ${mine('')} HTTP/1.1\r\nHost: x\r\nAuthorization: ${credentials.alice}\r\n` +
          'Depth: 0\r\nContent-Length: 20000000000\r\n\r\n<',
      )
      expect(heard).toMatch(/^HTTP\/1.1 413 /)
      expect(heard).toMatch(/Connection: close/i)
      expect(performance.now() - started).toBeLessThan(1200)
    },
  )
})

describe('F6: XML that is', () => {
  it('gives the same answer with a length and chunked', async () => {
    const counted = await scratch.send(propfind(good))
    const chunked = await scratch.send({ ...propfind(good), chunked: true })
    expect(counted.status).toBe(207)
    expect(chunked.body).toBe(counted.body)
    expect(counted.body).toContain('<D:getetag>')
    expect(counted.body).not.toContain('getcontentlength')
  })

  it('does the same work of a PROPPATCH and of a LOCK', async () => {
    const set = '<x xmlns="urn:x">1</x>'
    const proppatch = `<propertyupdate xmlns="DAV:"><set><prop>${set}</prop></set></propertyupdate>`
    const lock =
      '<lockinfo xmlns="DAV:"><lockscope><shared/></lockscope><locktype><write/></locktype></lockinfo>'
    for (const [method, body, status] of [
      ['PROPPATCH', proppatch, 207],
      ['LOCK', lock, 200],
    ] as const) {
      const sent: Sent = { ...propfind(body), method, path: mine('b.txt') }
      const counted = await scratch.send(sent)
      const chunked = await scratch.send({ ...sent, chunked: true })
      expect([counted.status, chunked.status]).toEqual([status, status])
      const nameless = ({ body }: Reply): string => body.replaceAll(/[0-9a-f-]{36}/g, '')
      expect(nameless(chunked)).toBe(nameless(counted))
    }
  })

  it('ignores what it does not know', async () => {
    const body = '<propfind xmlns="DAV:"><x:y xmlns:x="urn:x"/><propname/></propfind>'
    expect((await scratch.send(propfind(body))).status).toBe(207)
  })

  it('believes a client that names no media type', async () => {
    const sent = propfind(good)
    delete (sent.headers as Record<string, string>)['Content-Type']
    expect((await scratch.send(sent)).status).toBe(207)
  })
})

describe('PROPPATCH', () => {
  const proppatch = (body: string): Sent => ({ ...propfind(body), method: 'PROPPATCH' })
  const update = (xml: string): string =>
    `<D:propertyupdate xmlns:D="DAV:" xmlns:x="urn:x"><D:set><D:prop>${xml}</D:prop></D:set></D:propertyupdate>`

  it('S48: refuses a protected property, and the rest with it', async () => {
    const reply = await scratch.send(proppatch(update('<D:getetag>x</D:getetag><x:y>1</x:y>')))
    expect(reply.status).toBe(207)
    expect(reply.body).toContain(
      '<D:prop><D:getetag/></D:prop><D:status>HTTP/1.1 403 Forbidden</D:status>' +
        '<D:error><D:cannot-modify-protected-property/></D:error>',
    )
    expect(reply.body).toContain(
      '<D:prop><x:y xmlns:x="urn:x"/></D:prop><D:status>HTTP/1.1 424 Failed Dependency</D:status>',
    )
  })

  it.each([
    'resourcetype',
    'getcontentlength',
    'getcontenttype',
    'getetag',
    'getlastmodified',
    'creationdate',
    'displayname',
    'supportedlock',
    'lockdiscovery',
    'quota-available-bytes',
    'quota-used-bytes',
  ])('S48: changes nothing beside D:%s, set or removed', async (name) => {
    const set = update(`<x:kept>1</x:kept><D:${name}>x</D:${name}>`)
    for (const body of [set, set.replaceAll('D:set', 'D:remove')]) {
      for (const chunked of [false, true]) {
        const reply = await expectRefused(scratch, { ...proppatch(body), chunked }, 207)
        expect(reply.body).toContain('<D:cannot-modify-protected-property/>')
        expect(reply.body).toMatch(/<x:kept [^>]*><\/D:prop><D:status>HTTP\/1.1 424 /)
        expect(reply.body).not.toContain(' 200 OK')
      }
    }
  })

  it('answers a touch without falling over', async () => {
    const reply = await scratch.send(proppatch(update('<D:lastmodified>1</D:lastmodified>')))
    expect(reply.status).toBe(207)
    expect(reply.body).toContain('<D:lastmodified/></D:prop><D:status>HTTP/1.1 200 OK')
  })

  it.each(['', good, update(''), '<propertyupdate xmlns="DAV:"/>'])('refuses %j', async (body) => {
    await expectRefused(scratch, proppatch(body), 400)
  })

  it('answers a missing resource with 404', async () => {
    await expectRefused(scratch, { ...proppatch(update('<x:y/>')), path: mine('missing') }, 404)
  })
})
