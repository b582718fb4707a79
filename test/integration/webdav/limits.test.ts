import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  credentials,
  expectAlive,
  expectRefused,
  mine,
  startScratch,
  type Scratch,
} from './support.ts'

let scratch: Scratch
const limit = 2_500_000

beforeAll(async () => {
  const smallBodyTimes = { idleMs: 100, totalMs: 300 }
  scratch = await startScratch({ maxUploadBytes: limit, smallBodyTimes })
  writeFileSync(join(scratch.home, 'old.txt'), 'old bytes')
})

afterAll(() => scratch.stop())

const head = (method: string, path: string, fields: string): string =>
  `${method} ${mine(path)} HTTP/1.1\r\nHost: x\r\nAuthorization: ${credentials.alice}\r\n${fields}\r\n`

describe('uploads', () => {
  it('refuses one that is too large, with a length and without', async () => {
    const body = Buffer.alloc(limit + 1)
    const sent = { method: 'PUT', path: mine('old.txt'), as: 'alice' as const, body }
    await expectRefused(scratch, sent, 413)
    await expectRefused(scratch, { ...sent, chunked: true }, 413)
    const fits = await scratch.send({ ...sent, path: mine('fits'), body: Buffer.alloc(limit) })
    expect(fits.status).toBe(201)
  })

  // The rest of a short body is waited for in memory, that of a long one on disk.
  it.each([
    ['Content-Length: 5000\r\n', 2000, 0],
    ['Transfer-Encoding: chunked\r\n', 2000, 0],
    ['Content-Length: 2000000\r\n', 1_000_000, 1],
    ['Transfer-Encoding: chunked\r\n', 1_000_000, 1],
  ])(
    'E15: keeps the old bytes and leaves no temporary when a client goes away (%j, %d)',
    async (fields, sent, temporaries) => {
      const socket = connect(scratch.port, '127.0.0.1')
      const chunk = fields.startsWith('T') ? `${(2 * sent).toString(16)}\r\n` : ''
      socket.write(head('PUT', 'old.txt', fields) + chunk + 'x'.repeat(sent))
      await wait(150)
      const written = readdirSync(scratch.home).filter((name) => name.startsWith('.davmesh-put-'))
      expect(written).toHaveLength(temporaries)
      socket.destroy()
      await wait(150)
      expect(readFileSync(join(scratch.home, 'old.txt'), 'utf8')).toBe('old bytes')
      expect(readdirSync(scratch.home).filter((name) => name.startsWith('.'))).toEqual([])
      await expectAlive(scratch)
    },
  )

  it('asks for the body only when everything else is fine', async () => {
    const expects = 'Content-Length: 3\r\nExpect: 100-continue\r\n'
    const refused = await scratch.raw(head('PUT', 'missing/x', expects))
    expect(refused).toMatch(/^HTTP\/1.1 409 /)
    expect(refused).toMatch(/Connection: close/i)
    const asked = await scratch.raw(head('PUT', 'asked.txt', expects))
    expect(asked).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    const propfind = await scratch.raw(head('PROPFIND', '', `Depth: 0\r\n${expects}`))
    expect(propfind).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\n/)
  })

  it('answers who waits for 100 Continue', async () => {
    const req = request({
      port: scratch.port,
      method: 'PUT',
      path: mine('continued.txt'),
      agent: false,
      headers: { Authorization: credentials.alice, Expect: '100-continue', 'Content-Length': '4' },
    })
    req.flushHeaders()
    await once(req, 'continue')
    req.end('body')
    const [res] = (await once(req, 'response')) as [{ statusCode: number; resume(): void }]
    expect(res.statusCode).toBe(201)
    res.resume()
  })

  it('goes on with the connection after a small refused body', async () => {
    const body = 'x'.repeat(1000)
    const one = head('PUT', 'missing/x', `Content-Length: ${body.length}\r\n`) + body
    const heard = await scratch.raw(one + head('GET', 'old.txt', ''))
    expect(heard).toMatch(/^HTTP\/1.1 409 [\s\S]*HTTP\/1.1 200 OK[\s\S]*old bytes$/)
  })

  it('lets a client that is still sending hear why it was refused', async () => {
    const body = Buffer.alloc(limit + 1024)
    const reply = await scratch.send({ method: 'PUT', path: mine('missing/x'), as: 'alice', body })
    expect(reply.status).toBe(413)
    expect(reply.headers.connection).toBe('close')
  })
})

describe('a small body that does not come', () => {
  const fields = ['Content-Length: 100\r\n', 'Transfer-Encoding: chunked\r\n']

  it.each(['MKCOL', 'DELETE'])(
    'is not waited for, if only to see that %s has none',
    async (method) => {
      const heard = await scratch.raw(head(method, 'none', 'Transfer-Encoding: chunked\r\n'))
      expect(heard).toMatch(/^HTTP\/1.1 408 /)
    },
  )

  it.each(['PROPFIND', 'PROPPATCH', 'LOCK'])(
    'is not waited for: %s is answered with 408 (robustness.md §6, 43)',
    async (method) => {
      for (const framing of fields) {
        const heard = await scratch.raw(head(method, '', `Depth: 0\r\n${framing}`))
        expect(heard).toMatch(/^HTTP\/1.1 408 /)
        expect(heard).toMatch(/Connection: close/i)
        expect(heard).toContain('<D:error xmlns:D="DAV:">')
      }
    },
  )

  it('is not waited for when it drips', async () => {
    const socket = connect(scratch.port, '127.0.0.1')
    let heard = ''
    socket.on('data', (chunk) => (heard += chunk.toString()))
    // The server cuts the connection when it has answered.
    socket.on('error', () => undefined)
    socket.write(head('PROPFIND', '', 'Depth: 0\r\nContent-Length: 1000\r\n'))
    while (heard === '') {
      socket.write('<')
      await wait(20)
    }
    socket.destroy()
    expect(heard).toMatch(/^HTTP\/1.1 408 /)
    await expectAlive(scratch)
  })
})

describe('G7: long listings', () => {
  it('lists 20,000 members whole, in pieces', async () => {
    mkdirSync(join(scratch.home, 'many'))
    for (let index = 0; index < 20_000; index += 1) {
      writeFileSync(join(scratch.home, 'many', `file-${index}`), '')
    }
    const reply = await scratch.send({
      method: 'PROPFIND',
      path: mine('many'),
      as: 'alice',
      headers: { Depth: '1' },
    })
    expect(reply.status).toBe(207)
    expect(reply.headers['transfer-encoding']).toBe('chunked')
    expect(reply.body.match(/<D:response>/g)).toHaveLength(20_001)
    expect(reply.body.endsWith('</D:multistatus>\n')).toBe(true)
  }, 30_000)

  it('lets go of a listing whose reader went away', async () => {
    const socket = connect(scratch.port, '127.0.0.1')
    socket.write(head('PROPFIND', 'many', 'Depth: 1\r\n'))
    await once(socket, 'data')
    socket.pause()
    await wait(100)
    socket.destroy()
    await wait(100)
    await expectAlive(scratch)
    expect(scratch.log).toEqual([])
  })
})
