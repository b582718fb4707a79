import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  credentials,
  expectAlive,
  expectRefused,
  mine,
  otherShareId,
  startScratch,
  treeHash,
  type Scratch,
  type Sent,
} from './support.ts'

let scratch: Scratch

beforeAll(async () => {
  scratch = await startScratch()
  writeFileSync(join(scratch.home, 'a.txt'), 'a')
  writeFileSync(join(scratch.home, 'b.txt'), 'b')
  mkdirSync(join(scratch.home, 'dir'))
  writeFileSync(join(scratch.home, 'shared', 's.txt'), 's')
})

afterAll(() => scratch.stop())

describe('E1, E2: request targets', () => {
  const paths = [
    'x/../a.txt',
    './a.txt',
    'dir/./a.txt',
    './12:30/../a.txt',
    '././12:30',
    './dir/12:30',
    '%2e/12:30',
    '.',
    '%2e%2e/',
    '%2E%2e/bob/',
    '.%2e/bob',
    '..%2f..%2fetc%2fpasswd',
    '..%5c..%5c',
    'a%5cb',
    'a%2fb',
    'a\\b',
    '%zz',
    '%',
    '%4',
    '%c0%ae%c0%ae/',
    '%ff',
    '%ed%a0%80',
    '%00',
    'a%00.txt',
    'a%01b',
    'a%0d%0ab',
    'a%7fb',
    'dir//a',
    'dir//',
    'x'.repeat(256),
    '%C3%A9'.repeat(128),
    'a.txt#frag',
    'a.txt?x#y',
  ]

  it.each(paths)('refuses %j with 400', async (path) => {
    const before = treeHash(scratch.home)
    for (const method of ['GET', 'PUT', 'DELETE', 'MKCOL', 'PROPFIND']) {
      const heard = await scratch.raw(
        `${method} ${mine(path)} HTTP/1.1\r\nHost: x\r\nAuthorization: ${credentials.alice}\r\n` +
          'Depth: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
      )
      expect(heard).toMatch(/^HTTP\/1.1 400 /)
    }
    expect(treeHash(scratch.home)).toBe(before)
    await expectAlive(scratch)
  })

  it('decodes once and only once', async () => {
    writeFileSync(join(scratch.home, '%41'), 'escaped')
    const reply = await scratch.send({ method: 'GET', path: mine('%2541'), as: 'alice' })
    expect(reply.body).toBe('escaped')
    const plain = await scratch.send({ method: 'GET', path: mine('%61.txt?q=%zz'), as: 'alice' })
    expect(plain.body).toBe('a')
  })

  it('takes "./" before a colon for the relative reference it comes from (RFC 3986 §4.2)', async () => {
    const end = (headers: string) =>
      ` HTTP/1.1\r\nHost: x\r\nAuthorization: ${credentials.alice}\r\n${headers}Connection: close\r\n\r\n`
    const put = `PUT ${mine('./12:30%20notes')}${end('Content-Length: 0\r\n')}`
    expect(await scratch.raw(put)).toMatch(/ 201 /)
    expect(existsSync(join(scratch.home, '12:30 notes'))).toBe(true)
    const destination = `Destination: ${mine('./13:00')}\r\n`
    const move = `MOVE ${mine('./12:30%20notes')}${end(destination)}`
    expect(await scratch.raw(move)).toMatch(/ 201 /)
    expect(await scratch.raw(`DELETE ${mine('13:00')}${end('')}`)).toMatch(/ 204 /)
  })

  it('understands the absolute form, and * only for OPTIONS', async () => {
    const end = ` HTTP/1.1\r\nHost: x\r\nAuthorization: ${credentials.alice}\r\nConnection: close\r\n\r\n`
    expect(await scratch.raw(`GET http://any.example${mine('a.txt')}${end}`)).toMatch(/ 200 OK/)
    expect(await scratch.raw(`OPTIONS *${end}`)).toMatch(/ 200 OK/)
    expect(await scratch.raw(`GET *${end}`)).toMatch(/ 400 /)
  })

  it('keeps its own temporaries out of reach', async () => {
    writeFileSync(join(scratch.home, '.davmesh-put-x'), 'temporary')
    const path = mine('.davmesh-put-x')
    await expectRefused(scratch, { method: 'GET', path, as: 'alice' }, 404)
    await expectRefused(scratch, { method: 'DELETE', path, as: 'alice' }, 404)
    await expectRefused(scratch, { method: 'PUT', path, as: 'alice', body: 'x' }, 403)
    await expectRefused(scratch, { method: 'MKCOL', path, as: 'alice' }, 403)
    const list = await scratch.send({
      method: 'PROPFIND',
      path: mine(''),
      as: 'alice',
      headers: { Depth: '1' },
    })
    expect(list.body).not.toContain('.davmesh-')
  })
})

describe('E4, E5: Destination', () => {
  const destinations: [string, number][] = [
    ['http://elsewhere.example/dav/files/alice/c.txt', 502],
    ['http://localhost:1/dav/files/alice/c.txt', 502],
    ['/dav/files/bob/c.txt', 403],
    ['/dav/ocm/c.txt', 403],
    ['/dav/files/', 403],
    ['/elsewhere', 403],
    ['/dav/files/alice', 403],
    ['/dav/files/alice/', 403],
    ['/dav/files/alice/a.txt', 403],
    ['/dav/files/alice/%61.txt', 403],
    ['/dav/files/alice/../bob/c.txt', 400],
    ['/dav/files/alice/%2e%2e/bob/c.txt', 400],
    ['/dav/files/alice/%zz', 400],
    ['/dav/files/alice/%00', 400],
    ['/dav/files/alice/x y', 400],
    ['/dav/files/alice/x#y', 400],
    ['c.txt', 400],
    ['', 400],
    ['ftp://localhost/dav/files/alice/c.txt', 400],
    ['http://user@localhost/dav/files/alice/c.txt', 400],
    ['http://', 400],
    ['//localhost/dav/files/alice/c.txt', 400],
    ['/dav/files/alice/missing/c.txt', 409],
    ['/dav/files/alice/a.txt/c.txt', 409],
    ['/dav/files/alice/.davmesh-x', 403],
  ]

  it.each(destinations)('answers %j with %i', async (Destination, status) => {
    for (const method of ['COPY', 'MOVE']) {
      const headers = { Destination }
      await expectRefused(scratch, { method, path: mine('a.txt'), as: 'alice', headers }, status)
    }
  })

  it('answers another share, and above the share, with 403', async () => {
    for (const Destination of [
      `/dav/ocm/${otherShareId}/x`,
      '/dav/files/alice/x',
      `http://localhost:${scratch.port}/dav/ocm/${otherShareId}/x`,
    ]) {
      const sent: Sent = { method: 'COPY', path: '/dav/ocm/s.txt', as: 'writer' }
      await expectRefused(scratch, { ...sent, headers: { Destination } }, 403)
    }
  })

  it('refuses to go without one, and with two', async () => {
    for (const method of ['COPY', 'MOVE']) {
      const sent: Sent = { method, path: mine('a.txt'), as: 'alice' }
      await expectRefused(scratch, sent, 400)
      const headers = { Destination: [mine('c.txt'), mine('d.txt')] }
      await expectRefused(scratch, { ...sent, headers }, 400)
    }
  })
})

describe('E7, E8: Overwrite and Depth', () => {
  it.each(['X', 'TF', 'true', ''])('refuses Overwrite %j', async (Overwrite) => {
    const headers = { Overwrite, Destination: mine('c.txt') }
    await expectRefused(scratch, { method: 'COPY', path: mine('a.txt'), as: 'alice', headers }, 400)
  })

  it.each(['abc', '-1', '2', '', '0, 1', 'infinite'])('refuses Depth %j', async (Depth) => {
    const headers = { Depth, Destination: mine('c.txt') }
    for (const method of ['PROPFIND', 'COPY', 'MOVE', 'DELETE']) {
      await expectRefused(scratch, { method, path: mine('a.txt'), as: 'alice', headers }, 400)
    }
  })

  it('S41: refuses an infinite or absent Depth on PROPFIND', async () => {
    for (const headers of [{}, { Depth: 'infinity' }, { Depth: 'Infinity' }]) {
      const sent: Sent = { method: 'PROPFIND', path: mine(''), as: 'alice', headers }
      const reply = await expectRefused(scratch, sent, 403)
      expect(reply.body).toContain('<D:propfind-finite-depth/>')
    }
  })

  it('refuses depths that collections cannot have', async () => {
    const headers = { Depth: '0', Destination: mine('dir2') }
    await expectRefused(scratch, { method: 'MOVE', path: mine('dir'), as: 'alice', headers }, 400)
    await expectRefused(scratch, { method: 'DELETE', path: mine('dir'), as: 'alice', headers }, 400)
    const one = { Depth: '1', Destination: mine('dir2') }
    await expectRefused(
      scratch,
      { method: 'COPY', path: mine('dir'), as: 'alice', headers: one },
      400,
    )
  })
})

describe('S40: bodies where none belong', () => {
  it('takes a chunked body without content for none', async () => {
    const empty = async (method: string, path: string, headers = {}): Promise<number> =>
      (await scratch.send({ method, path, as: 'alice', headers, chunked: true })).status
    const to = (path: string) => ({ Destination: mine(path) })
    expect(await empty('MKCOL', mine('chunked'))).toBe(201)
    expect(await empty('COPY', mine('chunked'), to('chunked2'))).toBe(201)
    expect(await empty('MOVE', mine('chunked2'), to('chunked3'))).toBe(201)
    expect(await empty('DELETE', mine('chunked3'))).toBe(204)
    expect(await empty('DELETE', mine('chunked'))).toBe(204)
    expect(await empty('PROPFIND', mine(''), { Depth: '0' })).toBe(207)
    expect(await empty('UNLOCK', mine(''), { 'Lock-Token': '<urn:x>' })).toBe(409)
  })

  it('asks for a chunked body that is announced, and goes on with the connection', async () => {
    const mkcol =
      `MKCOL ${mine('asked')} HTTP/1.1\r\nHost: x\r\nAuthorization: ${credentials.alice}\r\n` +
      'Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n0\r\n\r\n'
    const heard = await scratch.raw(mkcol + mkcol)
    expect(heard).toMatch(/^HTTP\/1.1 100 [\s\S]*HTTP\/1.1 201 [\s\S]*HTTP\/1.1 405 /)
    await scratch.send({ method: 'DELETE', path: mine('asked'), as: 'alice' })
  })

  it.each(['MKCOL', 'COPY', 'MOVE', 'DELETE'])('answers %s with 415', async (method) => {
    const path = method === 'MKCOL' ? mine('new') : mine('a.txt')
    const headers = { Destination: mine('c.txt') }
    const sent: Sent = { method, path, as: 'alice', headers, body: 'x' }
    await expectRefused(scratch, sent, 415)
    await expectRefused(scratch, { ...sent, chunked: true }, 415)
  })
})

describe('S42: MKCOL and PUT', () => {
  const rows: [string, string, number][] = [
    ['MKCOL', 'dir', 405],
    ['MKCOL', 'dir/', 405],
    ['MKCOL', 'a.txt', 405],
    ['MKCOL', 'missing/dir', 409],
    ['MKCOL', 'a.txt/dir', 409],
    ['PUT', 'dir', 405],
    ['PUT', 'dir/', 405],
    ['PUT', 'missing/x', 409],
    ['PUT', 'a.txt/x', 409],
    ['PUT', 'new/', 409],
  ]

  it.each(rows)('answers %s %s with %i', async (method, path, status) => {
    const body = method === 'PUT' ? { body: 'x' } : {}
    await expectRefused(scratch, { method, path: mine(path), as: 'alice', ...body }, status)
  })

  it('E13: refuses a part of a file', async () => {
    const headers = { 'Content-Range': 'bytes 0-0/1' }
    const sent: Sent = { method: 'PUT', path: mine('a.txt'), as: 'alice', headers, body: 'x' }
    await expectRefused(scratch, sent, 400)
    await expectRefused(scratch, { ...sent, chunked: true }, 400)
    await expectRefused(scratch, { ...sent, path: mine('new.txt') }, 400)
  })

  it('refuses a coding that it would not undo', async () => {
    const headers = { 'Content-Encoding': 'gzip' }
    const sent: Sent = { method: 'PUT', path: mine('a.txt'), as: 'alice', headers, body: 'x' }
    await expectRefused(scratch, sent, 415)
  })

  it('creates with 201 and replaces with 204, both with an entity tag', async () => {
    const sent: Sent = { method: 'PUT', path: mine('new.txt'), as: 'alice', body: 'one' }
    const created = await scratch.send(sent)
    const replaced = await scratch.send({ ...sent, body: 'two', chunked: true })
    expect([created.status, replaced.status]).toEqual([201, 204])
    const got = await scratch.send({ method: 'GET', path: mine('new.txt'), as: 'alice' })
    expect([got.body, got.headers.etag]).toEqual(['two', replaced.headers.etag])
    expect(created.headers.etag).not.toBe(replaced.headers.etag)
    const made = await scratch.send({ method: 'MKCOL', path: mine('fresh/'), as: 'alice' })
    expect(made.status).toBe(201)
    const gone = await scratch.send({ method: 'DELETE', path: mine('fresh/'), as: 'alice' })
    expect(gone.status).toBe(204)
  })
})
