import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  credentials,
  expectDiscreet,
  expectRefused,
  mine,
  otherShareId,
  shareId,
  startScratch,
  type Scratch,
  type Sent,
  type Who,
} from './support.ts'

let scratch: Scratch

beforeAll(async () => {
  scratch = await startScratch()
  writeFileSync(join(scratch.home, 'private.txt'), 'private')
  writeFileSync(join(scratch.home, 'shared', 'note.txt'), 'note')
  mkdirSync(join(scratch.home, 'shared', 'sub'))
})

afterAll(() => scratch.stop())

const methods = [
  'OPTIONS',
  'GET',
  'HEAD',
  'PUT',
  'DELETE',
  'MKCOL',
  'COPY',
  'MOVE',
  'PROPFIND',
  'PROPPATCH',
  'LOCK',
  'SEARCH',
]

describe('without a good credential', () => {
  it.each(methods)('answers %s with 401 and both challenges on two lines', async (method) => {
    const reply = await expectRefused(scratch, { method, path: mine('private.txt') }, 401)
    const challenges = reply.rawHeaders.filter(
      (_, index) => reply.rawHeaders[index - 1]?.toLowerCase() === 'www-authenticate',
    )
    expect(challenges).toEqual(['Bearer realm="davmesh"', 'Basic realm="davmesh"'])
  })

  it('answers the bare root with 401 too', async () => {
    await expectRefused(scratch, { method: 'OPTIONS', path: '/' }, 401)
  })

  it('names a bad token as such (RFC 6750 §3.1)', async () => {
    const reply = await expectRefused(scratch, { method: 'GET', path: '/dav/ocm/', as: 'bad' }, 401)
    expect(reply.headers['www-authenticate']).toContain('error="invalid_token"')
  })

  it('E19: refuses two credentials with 400', async () => {
    const head = 'GET /dav/files/alice/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
    const one = `Authorization: ${credentials.alice}\r\n`
    const other = `Authorization: ${credentials.writer}\r\n`
    const heard = await scratch.raw(`${head}${one}${other}\r\n`)
    expect(heard).toMatch(/^HTTP\/1.1 400 /)
    expect(heard).toContain('error="invalid_request"')
  })

  it('sends the throttled away for a while', async () => {
    const sent: Sent = { method: 'GET', path: '/dav/ocm/', as: 'throttled' }
    const reply = await expectRefused(scratch, sent, 429)
    expect(reply.headers['retry-after']).toBe('7')
  })

  it('says nothing of an unexpected error, and logs it under a request id', async () => {
    const reply = await expectRefused(scratch, { method: 'GET', path: '/dav/', as: 'broken' }, 500)
    const id = reply.headers['x-request-id']
    expect(typeof id).toBe('string')
    expect(reply.body).not.toContain('canary')
    const line = scratch.log.find((text) => text.includes(String(id)))
    expect(line).toContain('canary')
  })
})

describe('places', () => {
  const outside: [string, Sent['as'], string][] = [
    ['another user', 'alice', '/dav/files/bob/'],
    ['a file of another user', 'alice', '/dav/files/bob/x.txt'],
    ['another spelling of the user', 'alice', '/dav/files/Alice/'],
    ['the list of users', 'alice', '/dav/files/'],
    ['the bare root', 'alice', '/'],
    ['shares, as a user', 'alice', '/dav/ocm/'],
    ['a share by id, as a user', 'alice', `/dav/ocm/${shareId}/`],
    ['a user, as a share', 'writer', '/dav/files/alice/'],
    ['another share', 'writer', `/dav/ocm/${otherShareId}/`],
    ['a member of another share', 'writer', `/dav/ocm/${otherShareId}/note.txt`],
  ]

  it.each(outside)('hides %s behind a plain 404', async (_, as, path) => {
    const missingPath = as === 'alice' ? mine('missing') : '/dav/ocm/missing'
    for (const method of ['GET', 'PROPFIND', 'DELETE']) {
      const hidden = await expectRefused(scratch, { method, path, as }, 404)
      const missing = await expectRefused(scratch, { method, path: missingPath, as }, 404)
      const { date: _one, ...fields } = hidden.headers
      const { date: _other, ...expected } = missing.headers
      expect({ body: hidden.body, fields }).toEqual({ body: missing.body, fields: expected })
    }
    for (const method of ['PUT', 'MKCOL', 'PROPPATCH', 'LOCK', 'SEARCH']) {
      await expectRefused(
        scratch,
        { method, path, as, ...(method === 'PUT' && { body: 'x' }) },
        404,
      )
    }
  })

  it('serves the same share at the root and by its id', async () => {
    for (const base of ['/dav/ocm', `/dav/ocm/${shareId}`]) {
      const reply = await scratch.send({ method: 'GET', path: `${base}/note.txt`, as: 'reader' })
      expect([reply.status, reply.body]).toEqual([200, 'note'])
      const list = await scratch.send({
        method: 'PROPFIND',
        path: `${base}/`,
        as: 'reader',
        headers: { Depth: '1' },
      })
      expect(list.body).toContain(`<D:href>${base}/note.txt</D:href>`)
    }
  })

  it('serves a file share as its own root', async () => {
    for (const path of ['/dav/ocm/', '/dav/ocm', `/dav/ocm/${shareId}`, `/dav/ocm/${shareId}/`]) {
      const reply = await scratch.send({ method: 'GET', path, as: 'file' })
      expect([reply.status, reply.body]).toEqual([200, 'note'])
      const found = await scratch.send({
        method: 'PROPFIND',
        path,
        as: 'file',
        headers: { Depth: '1' },
      })
      expect(found.status).toBe(207)
      expect(found.body).not.toContain('<D:collection/>')
      expect(found.body).toContain(`<D:href>${path}</D:href>`)
    }
    await expectRefused(scratch, { method: 'GET', path: '/dav/ocm/note.txt', as: 'file' }, 404)
    await expectRefused(scratch, { method: 'DELETE', path: '/dav/ocm/', as: 'file' }, 403)
    const headers = { Destination: '/dav/ocm/x' }
    await expectRefused(scratch, { method: 'MOVE', path: '/dav/ocm/', as: 'file', headers }, 403)
    const put = await scratch.send({ method: 'PUT', path: '/dav/ocm/', as: 'file', body: 'newer' })
    expect(put.status).toBe(204)
    expect(readFileSync(join(scratch.home, 'shared', 'note.txt'), 'utf8')).toBe('newer')
    writeFileSync(join(scratch.home, 'shared', 'note.txt'), 'note')
  })

  it('reports whose request it was', async () => {
    await scratch.send({ method: 'GET', path: '/dav/ocm/note.txt', as: 'reader' })
    expect(scratch.principals.at(-1)).toMatchObject({ kind: 'share', shareId })
  })
})

describe('permissions', () => {
  const writes: Sent[] = [
    { method: 'PUT', path: '/dav/ocm/new.txt', body: 'x' },
    { method: 'PUT', path: '/dav/ocm/note.txt', body: 'x' },
    { method: 'DELETE', path: '/dav/ocm/note.txt' },
    { method: 'DELETE', path: '/dav/ocm/missing' },
    { method: 'MKCOL', path: '/dav/ocm/dir' },
    { method: 'PROPPATCH', path: '/dav/ocm/note.txt', body: '<x/>' },
    { method: 'COPY', path: '/dav/ocm/note.txt', headers: { Destination: '/dav/ocm/b' } },
    { method: 'MOVE', path: '/dav/ocm/note.txt', headers: { Destination: '/dav/ocm/b' } },
    { method: 'MOVE', path: '/dav/ocm/note.txt' },
  ]

  it.each(writes)('E16: refuses $method $path on a read-only share', async (sent) => {
    const reply = await expectRefused(scratch, { ...sent, as: 'reader' }, 403)
    expect(reply.headers['www-authenticate']).toBe(
      'Bearer realm="davmesh", error="insufficient_scope"',
    )
  })

  it.each(['PUT', 'PROPPATCH', 'LOCK'])(
    'E16: decides over %s before any of the body has come',
    async (method) => {
      for (const framing of ['Content-Length: 100000', 'Transfer-Encoding: chunked']) {
        const heard = await scratch.raw(
          `${method} /dav/ocm/big HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer reader\r\n` +
            `${framing}\r\nExpect: 100-continue\r\n\r\n`,
        )
        expect(heard).toMatch(/^HTTP\/1.1 403 /)
        expect(heard).toMatch(/Connection: close/i)
      }
    },
  )

  it.each(['alice', 'writer'] as const)('E17: keeps the root of %s', async (as) => {
    const path = as === 'alice' ? mine('') : '/dav/ocm/'
    const others = as === 'alice' ? [path.slice(0, -1)] : ['/dav/ocm', `/dav/ocm/${shareId}`]
    for (const other of others) {
      const headers = { Destination: `${path}elsewhere` }
      await expectRefused(scratch, { method: 'DELETE', path: other, as }, 403)
      await expectRefused(scratch, { method: 'MOVE', path: other, as, headers }, 403)
    }
    await expectRefused(scratch, { method: 'DELETE', path, as }, 403)
    const headers = { Destination: `${path}elsewhere` }
    await expectRefused(scratch, { method: 'MOVE', path, as, headers }, 403)
    await expectRefused(scratch, { method: 'PUT', path, as, body: 'x' }, 405)
    await expectRefused(scratch, { method: 'MKCOL', path, as }, 405)
    const onto = { Destination: path }
    const source = as === 'alice' ? mine('private.txt') : '/dav/ocm/note.txt'
    await expectRefused(scratch, { method: 'COPY', path: source, as, headers: onto }, 403)
  })
})

const all = 'OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK'

describe('OPTIONS', () => {
  it.each<[string, Who, string]>([
    ['the root of a home', 'alice', mine('')],
    ['a file', 'alice', mine('private.txt')],
    ['a directory', 'alice', mine('shared/')],
    ['a name that is free', 'alice', mine('missing')],
    ['a share', 'writer', '/dav/ocm'],
    ['a share by its id', 'writer', `/dav/ocm/${shareId}/sub`],
    ['a share that may only be read', 'reader', '/dav/ocm/note.txt'],
    ['a share of one file', 'file', '/dav/ocm/'],
    ['the server', 'alice', '*'],
  ])('names the classes and the methods of %s (RFC 4918 §18)', async (_, as, path) => {
    const reply = await scratch.send({ method: 'OPTIONS', path, as })
    expect([reply.status, reply.body]).toEqual([200, ''])
    expect(reply.headers).toMatchObject({
      dav: '1, 2, 3',
      allow: all,
      'ms-author-via': 'DAV',
      'content-length': '0',
    })
    expectDiscreet(reply)
  })

  it.each(['TRACE', 'REPORT', 'PATCH', 'POST'])(
    'E21: answers %s with 405 and Allow',
    async (method) => {
      const reply = await expectRefused(scratch, { method, path: mine(''), as: 'alice' }, 405)
      expect(reply.headers.allow).toBe(all)
    },
  )

  it.each([
    ['PUT', mine('shared'), ['PUT', 'MKCOL']],
    ['MKCOL', mine('shared'), ['PUT', 'MKCOL']],
    ['MKCOL', mine(''), ['PUT', 'MKCOL']],
    ['MKCOL', mine('private.txt'), ['MKCOL']],
  ])('answers %s of %s with 405, and allows everything but %j', async (method, path, refused) => {
    const reply = await expectRefused(scratch, { method, path, as: 'alice' }, 405)
    const allowed = all.split(', ').filter((name) => !refused.includes(name))
    expect(reply.headers.allow).toBe(allowed.join(', '))
  })
})
