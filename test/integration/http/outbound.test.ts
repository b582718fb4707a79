import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { AppError } from '../../../src/core/index.ts'
import {
  createGuardedClient,
  OutboundError,
  type GuardedClient,
  type GuardedClientOptions,
} from '../../../src/http/index.ts'
import { captureLog, startRaw, until } from './support.ts'

const head = 'HTTP/1.1 200 OK\r\n'

describe('the guarded client', () => {
  let client: GuardedClient | undefined
  let target: Server
  let port: number
  let requests: IncomingMessage[] = []
  let answer: (req: IncomingMessage, res: ServerResponse) => void = (_req, res) => res.end('ok')

  beforeAll(async () => {
    target = createServer((req, res) => {
      requests.push(req)
      answer(req, res)
    })
    await new Promise<void>((done) => target.listen(0, '127.0.0.1', done))
    port = (target.address() as AddressInfo).port
  })
  afterEach(async () => {
    await client?.close()
    requests = []
    answer = (_req, res) => res.end('ok')
  })
  afterAll(() => {
    target.closeAllConnections()
    target.close()
  })

  const open = (options: Partial<GuardedClientOptions> = {}): GuardedClient => {
    const { log } = captureLog()
    client = createGuardedClient({ log, allowHttp: true, allowPrivateNetworks: true, ...options })
    return client
  }
  const get = (url: string, options: Partial<GuardedClientOptions> = {}) =>
    open(options).request({ method: 'GET', url })
  const local = (path = '/'): string => `http://127.0.0.1:${port}${path}`

  it('sends what it was given and returns what came', async () => {
    answer = (req, res) => {
      const chunks: Buffer[] = []
      req
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          res.writeHead(201, { 'X-Two': ['a', 'b'], Constructor: 'c' })
          res.end(Buffer.concat(chunks))
        })
    }
    const response = await open().request({
      method: 'POST',
      url: local('/ocm/shares?a=1#fragment'),
      headers: { 'Content-Type': 'application/json', 'content-length': '2' },
      body: '{}',
    })
    expect(response).toMatchObject({
      status: 201,
      body: Buffer.from('{}'),
      url: local('/ocm/shares?a=1#fragment'),
    })
    expect(response.headers).toMatchObject({ 'x-two': 'a, b', constructor: 'c' })
    expect(requests[0]).toMatchObject({ method: 'POST', url: '/ocm/shares?a=1' })
    expect(requests[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '2',
      'accept-encoding': 'identity',
      host: `127.0.0.1:${port}`,
    })
  })

  it.each([
    ['a redirect nobody asked to follow', { followRedirects: false }, '/b', 301],
    ['a redirect to another port', {}, 'http://127.0.0.1:1/', 302],
    ['a redirect to a private address', {}, 'http://10.0.0.1/', 302],
    ['a redirect to another host', {}, 'http://example.org/', 307],
    ['a redirect to another scheme', {}, `https://127.0.0.1/`, 308],
    ['a redirect to a file', {}, 'file:///etc/passwd', 302],
    ['a redirect without a place', {}, undefined, 302],
    ['a redirect with userinfo', {}, 'http://a:b@127.0.0.1/', 303],
    ['a redirect of a request with a body', { method: 'POST', body: 'x' }, '/b', 307],
    ['a redirect of a request with a token', { headers: { Authorization: 'Bearer x' } }, '/b', 302],
    [
      'a redirect of a signed request',
      { headers: { 'Signature-Input': 'x', Signature: 'y' } },
      '/b',
      302,
    ],
  ])(
    'refuses %s, with no second request (robustness H4)',
    async (_name, extra, location, status) => {
      answer = (_req, res) =>
        res.writeHead(status, location === undefined ? {} : { location }).end()
      const call = open().request({
        method: 'GET',
        url: local('/a'),
        followRedirects: true,
        ...extra,
      })
      await expect(call).rejects.toMatchObject({ code: 'redirect_refused', kind: 'upstream' })
      expect(requests).toHaveLength(1)
    },
  )

  it('follows one redirect to the same origin, and only one', async () => {
    answer = (req, res) => {
      if (req.url === '/a') res.writeHead(301, { location: '/b?x=1' }).end('moved')
      else if (req.url === '/loop') res.writeHead(301, { location: '/a' }).end()
      else res.end('here')
    }
    const response = await open().request({
      method: 'GET',
      url: local('/a'),
      followRedirects: true,
    })
    expect(response).toMatchObject({ status: 200, body: Buffer.from('here'), url: local('/b?x=1') })
    const loop = open().request({ method: 'GET', url: local('/loop'), followRedirects: true })
    await expect(loop).rejects.toMatchObject({ code: 'redirect_refused' })
    expect(requests).toHaveLength(4)
  })

  it.each([
    [
      'endless, in chunks',
      'Transfer-Encoding: chunked\r\n\r\n',
      `1000\r\n${'x'.repeat(0x1000)}\r\n`,
    ],
    ['of 10 GB', 'Content-Length: 10000000000\r\n\r\n', 'x'.repeat(0x1000)],
    ['until close', '\r\n', 'x'.repeat(0x1000)],
  ])(
    'stops a body %s at the limit and destroys the socket (robustness H5)',
    async (_name, rest, more) => {
      const raw = await startRaw((socket) => {
        socket.write(head + rest)
        const timer = setInterval(() => socket.write(more), 0)
        socket.on('close', () => clearInterval(timer))
      })
      const call = get(`http://127.0.0.1:${raw.port}/`, { maxResponseBytes: 64 * 1024 })
      await expect(call).rejects.toMatchObject({ code: 'too_large' })
      await until(() => raw.sockets.size === 0)
      await raw.close()
    },
  )

  it('takes a body of exactly the limit', async () => {
    answer = (_req, res) => res.end(Buffer.alloc(1000))
    expect((await get(local(), { maxResponseBytes: 1000 })).body).toHaveLength(1000)
    await expect(get(local(), { maxResponseBytes: 999 })).rejects.toMatchObject({
      code: 'too_large',
    })
  })

  it('refuses a coding it did not ask for, and inflates nothing', async () => {
    answer = (_req, res) => {
      res.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(Buffer.alloc(10_000_000)))
    }
    await expect(get(local())).rejects.toMatchObject({ code: 'encoding_refused' })
  })

  it.each([
    ['says nothing', ''],
    ['drips its head', head],
    ['drips its body', `${head}Content-Length: 1000\r\n\r\n`],
  ])('gives up on a server that %s', async (_name, text) => {
    const raw = await startRaw((socket) => {
      let at = 0
      const timer = setInterval(() => {
        if (text !== '') socket.write(text.charAt(at++) || 'x')
      }, 15)
      socket.on('close', () => clearInterval(timer))
    })
    const startedAt = performance.now()
    const call = get(`http://127.0.0.1:${raw.port}/`, { timeoutMs: 300 })
    await expect(call).rejects.toMatchObject({ code: 'timeout' })
    expect(performance.now() - startedAt).toBeLessThan(1_500)
    await until(() => raw.sockets.size === 0)
    await raw.close()
  })

  it.each([
    ['before the head', '', 'reset'],
    ['in the body', `${head}Content-Length: 10\r\n\r\nabc`, 'reset'],
    ['in a chunk', `${head}Transfer-Encoding: chunked\r\n\r\n5\r\nab`, 'reset'],
  ])('reports a reset %s', async (_name, text, code) => {
    const raw = await startRaw((socket) => {
      socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 20))
    })
    await expect(get(`http://127.0.0.1:${raw.port}/`)).rejects.toMatchObject({ code })
    await raw.close()
  })

  it.each([
    ['garbage', 'SSH-2.0-OpenSSH_9.2\r\n', 'bad_response'],
    ['two lengths', `${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 'reset'],
    ['a huge head', `${head}A: ${'a'.repeat(20_000)}\r\n\r\n`, 'too_large'],
  ])('reports %s', async (_name, text, code) => {
    const raw = await startRaw((socket) => socket.end(text))
    await expect(get(`http://127.0.0.1:${raw.port}/`)).rejects.toMatchObject({ code })
    await raw.close()
  })

  it('reports a refused connection', async () => {
    const raw = await startRaw(() => undefined)
    await raw.close()
    await expect(get(`http://127.0.0.1:${raw.port}/`)).rejects.toMatchObject({
      code: 'connect_failed',
    })
  })

  it.each([
    ['a line break in a value', { a: 'b\r\nAuthorization: Bearer x' }],
    ['a bare LF', { a: 'b\nc' }],
    ['a NUL', { a: 'b\0' }],
    ['a character outside Latin-1', { a: '€' }],
    ['a line break in a name', { 'a\r\nb': 'c' }],
    ['an empty name', { '': 'c' }],
    ['another Host', { host: 'internal' }],
    ['Transfer-Encoding', { 'Transfer-Encoding': 'chunked' }],
    ['one name twice', { authorization: 'a', Authorization: 'b' }],
    ['a length that lies', { 'content-length': '7' }],
  ])('does not send %s', async (_name, headers: Record<string, string>) => {
    const call = open().request({ method: 'POST', url: local(), headers, body: 'x' })
    await expect(call).rejects.toMatchObject({ code: 'bad_request' })
    expect(requests).toHaveLength(0)
  })

  it.each(['CONNECT', 'GET / HTTP/1.1\r\nA: b', 'get', ''])(
    'does not send method %j',
    async (method) => {
      await expect(open().request({ method, url: local() })).rejects.toMatchObject({
        code: 'bad_request',
      })
      expect(requests).toHaveLength(0)
    },
  )

  it('opens at most ten connections to one host', async () => {
    const waiting: ServerResponse[] = []
    answer = (_req, res) => void waiting.push(res)
    const guarded = open()
    const calls = Array.from({ length: 25 }, () => guarded.request({ method: 'GET', url: local() }))
    await until(() => waiting.length === 10)
    expect(new Set(requests.map((req) => req.socket)).size).toBe(10)
    answer = (_req, res) => res.end()
    for (const res of waiting) res.end()
    expect(await Promise.all(calls)).toHaveLength(25)
  })

  it('fails what is running when it is closed', async () => {
    answer = () => undefined
    const guarded = open()
    const call = guarded.request({ method: 'GET', url: local() })
    const refused = expect(call).rejects.toMatchObject({
      code: 'client_closed',
      kind: 'unavailable',
    })
    await until(() => requests.length === 1)
    await guarded.close()
    await refused
  })

  it('streams both ways without the small limits', async () => {
    answer = (req, res) => void req.pipe(res)
    const { Readable } = await import('node:stream')
    const body = Readable.from(Array.from({ length: 40 }, () => Buffer.alloc(1000)))
    const response = await open({ maxResponseBytes: 10 }).stream({
      method: 'PUT',
      url: local(),
      body,
    })
    let size = 0
    for await (const chunk of response.body) size += (chunk as Buffer).length
    expect([response.status, size]).toEqual([200, 40_000])
  })

  it('stops a stream when its reader leaves', async () => {
    const raw = await startRaw((socket) => {
      const timer = setInterval(() => socket.write('x'), 1)
      socket.write(`${head}\r\n`)
      socket.on('close', () => clearInterval(timer))
    })
    const { body } = await open().stream({ method: 'GET', url: `http://127.0.0.1:${raw.port}/` })
    body.on('error', () => undefined).destroy()
    await until(() => raw.sockets.size === 0)
    await raw.close()
  })

  it('fails with errors whose message is fit for strangers', async () => {
    const error = await get('http://name.invalid/', {
      lookup: () => Promise.reject(new Error('canary')),
    }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(OutboundError)
    expect(error).toBeInstanceOf(AppError)
    expect((error as OutboundError).message).toBe('The server name.invalid cannot be reached')
  })
})
