import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
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
let etag = ''

beforeAll(async () => {
  scratch = await startScratch()
})

afterAll(() => scratch.stop())

beforeEach(async () => {
  writeFileSync(join(scratch.home, 'a.txt'), 'old')
  utimesSync(join(scratch.home, 'a.txt'), 1_000_000_000, 1_000_000_000)
  etag = (await ask('HEAD', {})).headers.etag ?? ''
})

const sent = (method: string, headers: Record<string, string>, path = 'a.txt'): Sent => ({
  method,
  path: mine(path),
  as: 'alice',
  headers,
  ...(method === 'PUT' && { body: 'new' }),
})

const ask = (method: string, headers: Record<string, string>, path?: string): Promise<Reply> =>
  scratch.send(sent(method, headers, path))

const before = 'Sun, 09 Sep 2001 01:46:39 GMT'
const exact = 'Sun, 09 Sep 2001 01:46:40 GMT'

describe('S44: reading', () => {
  it('answers 304 to who knows it already', async () => {
    for (const headers of [
      { 'If-None-Match': etag },
      { 'If-None-Match': `"x", W/${etag}` },
      { 'If-None-Match': `, ,"x",, ${etag},` },
      { 'If-None-Match': `"a,${etag.slice(1, -1)}", ${etag}` },
      { 'If-None-Match': '*' },
      { 'If-Modified-Since': exact },
      { 'If-None-Match': etag, 'If-Modified-Since': before },
    ]) {
      for (const method of ['GET', 'HEAD']) {
        const reply = await ask(method, headers)
        expect([reply.status, reply.headers.etag, reply.body]).toEqual([304, etag, ''])
        // RFC 9110 §15.4.5: what describes content stays away with it.
        expect(reply.headers['last-modified']).toBe(exact)
        for (const name of ['content-length', 'content-type', 'content-disposition']) {
          expect(reply.headers[name]).toBeUndefined()
        }
      }
    }
  })

  it('answers 200 to who does not', async () => {
    for (const headers of [
      { 'If-None-Match': '"x"' },
      { 'If-None-Match': '"x"', 'If-Modified-Since': exact },
      { 'If-Modified-Since': before },
      { 'If-Modified-Since': 'yesterday' },
      { 'If-Match': etag },
      { 'If-Match': '*' },
      { 'If-Match': etag, 'If-Unmodified-Since': before },
      { 'If-Unmodified-Since': exact },
      { 'If-Unmodified-Since': 'never' },
    ]) {
      expect((await ask('GET', headers)).status).toBe(200)
    }
  })

  it('answers 412 to who expects something else', async () => {
    for (const headers of [
      { 'If-Match': '"x"' },
      { 'If-Match': `W/${etag}` },
      { 'If-Match': '"x"', 'If-None-Match': etag },
      { 'If-Unmodified-Since': before },
    ]) {
      expect((await ask('GET', headers)).status).toBe(412)
    }
  })
})

describe('E10: writing', () => {
  it('refuses what does not hold, and keeps the bytes', async () => {
    for (const headers of [
      { 'If-Match': '"x"' },
      { 'If-Match': 'x' },
      { 'If-None-Match': '*' },
      { 'If-None-Match': etag },
      { 'If-Unmodified-Since': before },
    ]) {
      for (const method of ['PUT', 'DELETE']) {
        await expectRefused(scratch, sent(method, headers), 412)
      }
      await expectRefused(scratch, sent('MOVE', { ...headers, Destination: mine('b') }), 412)
    }
    await expectRefused(scratch, sent('PUT', { 'If-Match': '*' }, 'missing'), 412)
  })

  it.each(['COPY', 'MKCOL', 'PROPPATCH', 'LOCK', 'UNLOCK', 'PROPFIND'])(
    'refuses %s as well',
    async (method) => {
      const fields = { Destination: mine('b'), 'Lock-Token': '<urn:x>', Depth: '0' }
      const path = method === 'MKCOL' ? 'missing' : 'a.txt'
      for (const condition of [
        { 'If-Match': '"x"' },
        { If: '(["x"])' },
        ...(path === 'a.txt' ? [{ 'If-None-Match': '*' }, { 'If-None-Match': `,${etag}` }] : []),
      ]) {
        await expectRefused(scratch, sent(method, { ...fields, ...condition }, path), 412)
      }
    },
  )

  it('pays no attention to If-Modified-Since (RFC 9110 §13.1.3)', async () => {
    expect((await ask('PUT', { 'If-Modified-Since': exact })).status).toBe(204)
  })

  it.each(['If-Match: "x"', 'If-None-Match: *', `If-Unmodified-Since: ${before}`, 'If: (["x"])'])(
    'S44: decides over %s before it asks for the body',
    async (condition) => {
      for (const framing of ['Content-Length: 100000000', 'Transfer-Encoding: chunked']) {
        const heard = await scratch.raw(
          `PUT ${mine('a.txt')} HTTP/1.1\r\nHost: x\r\nAuthorization: ${credentials.alice}\r\n` +
            `${condition}\r\n${framing}\r\nExpect: 100-continue\r\n\r\n`,
        )
        expect(heard).toMatch(/^HTTP\/1.1 412 /)
        expect(heard).toMatch(/Connection: close/i)
      }
    },
  )

  it('writes when it holds', async () => {
    const replaced = await ask('PUT', { 'If-Match': etag })
    expect(replaced.status).toBe(204)
    expect((await ask('PUT', { 'If-Match': etag })).status).toBe(412)
    expect((await ask('PUT', { 'If-None-Match': '*' }, 'new.txt')).status).toBe(201)
    expect((await ask('DELETE', { 'If-Match': '*' }, 'new.txt')).status).toBe(204)
  })

  it('R12: lets exactly one of many equal conditions win', async () => {
    const race = (headers: Record<string, string>, path: string): Promise<number[]> =>
      Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const body = `writer ${index}`.repeat(5000)
          return (await scratch.send({ ...sent('PUT', headers, path), body })).status
        }),
      )
    const replaced = await race({ 'If-Match': etag }, 'a.txt')
    expect(replaced.filter((status) => status === 204)).toHaveLength(1)
    expect(replaced.filter((status) => status === 412)).toHaveLength(19)
    const created = await race({ 'If-None-Match': '*' }, 'once.txt')
    expect(created.filter((status) => status === 201)).toHaveLength(1)
    expect(created.filter((status) => status === 412)).toHaveLength(19)
    const free = await race({}, 'free.txt')
    expect(free.filter((status) => status === 201)).toHaveLength(1)
    const { body } = await ask('GET', {}, 'free.txt')
    expect(body).toMatch(/^writer \d+/)
    expect(body).toBe(/^writer \d+?(?=writer)/.exec(body)?.[0].repeat(5000))
  })
})

describe('S45: If', () => {
  const holds = (text: string): string => text.replaceAll('ETAG', etag)

  it.each([
    '([ETAG])',
    '(Not ["x"])',
    '(Not <DAV:no-lock>)',
    '(<urn:uuid:0> [ETAG]) ([ETAG])',
    `<${mine('a.txt')}> ([ETAG])`,
    `<${mine('missing')}> (Not [ETAG])`,
    '<http://elsewhere.example/x> (Not <urn:x>)',
    '\t([ETAG]\tNot <urn:x>)',
  ])('writes for %s', async (text) => {
    expect((await ask('PUT', { If: holds(text) })).status).toBe(204)
  })

  it.each([
    '(["x"])',
    '(<urn:uuid:00000000-0000-0000-0000-000000000000>)',
    '(<DAV:no-lock>)',
    '(Not [ETAG])',
    '([ETAG] <urn:x>)',
    `<${mine('missing')}> ([ETAG])`,
    '<http://elsewhere.example/x> ([ETAG])',
    '</%zz> ([ETAG])',
    '(["x"]) (["y"])',
  ])('E11: refuses %s with 412', async (text) => {
    await expectRefused(scratch, sent('PUT', { If: holds(text) }), 412)
    await expectRefused(scratch, sent('DELETE', { If: holds(text) }), 412)
  })

  it.each([
    '',
    'x',
    '(',
    ')',
    '()',
    '(["x"]',
    '["x"])',
    '(<>)',
    '(x)',
    '([x])',
    '(Not)',
    '(Not Not ["x"])',
    '</x>',
    '</x> </y> (["x"])',
    '(["x"]) </x> (["x"])',
    '</x> (["x"]) </y>',
    '(["x"]),(["y"])',
    '('.repeat(15_000),
    '(["x"])'.repeat(2100),
    '(<a>)'.repeat(2900),
  ])('E12: refuses what is no If header: %.20s', async (text) => {
    const started = performance.now()
    const reply = await ask('PUT', { If: text })
    expect(performance.now() - started).toBeLessThan(1000)
    expect(reply.status).toBe(400)
    await expectRefused(scratch, sent('DELETE', { If: text }), 400)
  })
})
