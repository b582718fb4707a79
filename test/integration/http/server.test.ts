import { request as httpsRequest } from 'node:https'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import express from 'express'
import { afterEach, describe, expect, it } from '@jest/globals'
import {
  createErrorMiddleware,
  endResponse,
  readBody,
  writeOcmError,
} from '../../../src/http/index.ts'
import {
  captureLog,
  exchangeRaw,
  makeCertificate,
  pause,
  startServer,
  type Running,
} from './support.ts'

const get = (path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
const short = { headersTimeoutMs: 100, checkingIntervalMs: 20 }

describe('the HTTP server', () => {
  let running: Running | undefined
  afterEach(async () => {
    await running?.http.close(0)
    running = undefined
  })

  it.each([
    [
      '431 for a head above 16 KiB',
      [`GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(17_000)}\r\n\r\n`],
      '431',
    ],
    ['431 for a target above 16 KiB', [get(`/${'a'.repeat(17_000)}`)], '431'],
    ['400 for what is not HTTP', ['GET hello\r\n\r\n'], '400'],
    ['501 for an unknown verb (robustness E21)', ['BREW / HTTP/1.1\r\nHost: x\r\n\r\n'], '501'],
    ['400 for no Host', ['GET / HTTP/1.1\r\n\r\n'], '400'],
    [
      '400 for two lengths',
      ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
      '400',
    ],
    [
      '400 for length and chunks',
      ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
      '400',
    ],
  ])('answers %s and closes (robustness G3)', async (_name, parts, status) => {
    running = await startServer((_req, res) => res.end())
    const answer = await exchangeRaw(running.port, ...parts)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer.toLowerCase()).toContain('connection: close')
  })

  it.each([
    ['stops in the head', ['GET / HTTP/1.1\r\nHost', 400]],
    ['says nothing', [400]],
    ['drips its head', ['GET', 40, ' / ', 40, 'HTTP/1.1', 40, '\r\nA: b', 400]],
  ])('answers 408 when the client %s', async (_name, parts) => {
    running = await startServer((_req, res) => res.end(), { limits: short })
    expect(await exchangeRaw(running.port, ...parts)).toMatch(/^HTTP\/1.1 408 /)
  })

  it('lets a body take longer than the head may', async () => {
    running = await startServer(
      async (req, res) => res.end(await readBody(req, { maxBytes: 10 })),
      { limits: short },
    )
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n'
    expect(await exchangeRaw(running.port, head, 300, 'a', 10, 'b')).toMatch(
      /^HTTP\/1.1 200 .*ab$/s,
    )
  })

  it.each([
    [
      'throws',
      () => {
        throw new TypeError('canary')
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('canary'))],
  ])('answers 500 and lives on when the handler %s (robustness R21)', async (_name, handler) => {
    running = await startServer(handler)
    const answer = await exchangeRaw(running.port, get())
    expect(answer).toMatch(/^HTTP\/1.1 500 .*"Internal error"/s)
    expect(answer).not.toContain('canary')
    expect(running.lines).toEqual([expect.objectContaining({ level: 50, code: 'internal_error' })])
    expect(JSON.stringify(running.lines)).toContain('server.test.ts')
    expect(await exchangeRaw(running.port, get())).toMatch(/^HTTP\/1.1 500 /)
  })

  it('ends idle connections at once and lets running requests finish', async () => {
    let release: () => void = () => undefined
    running = await startServer((_req, res) => {
      res.writeHead(200)
      res.write('first,')
      release = () => res.end('last')
    })
    const idle = connect({ host: '127.0.0.1', port: running.port })
    const idleClosed = new Promise((done) => idle.on('close', done))
    const answer = exchangeRaw(running.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await pause(50)
    const startedAt = performance.now()
    const closed = running.http.close(5_000)
    await idleClosed
    release()
    expect(await answer).toContain('last')
    await closed
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    expect(await exchangeRaw(running.port, get())).toBe('')
  })

  it('cuts what is still running after the grace', async () => {
    running = await startServer(() => undefined)
    const answer = exchangeRaw(running.port, get())
    await pause(30)
    await running.http.close(50)
    expect(await answer).toBe('')
  })

  it('ends an empty answer to an unread body, then the connection', async () => {
    running = await startServer((_req, res) => {
      res.statusCode = 507
      endResponse(res, '')
    })
    const body = '1'.repeat(70_000)
    const head = `PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`
    const answer = await exchangeRaw(running.port, head, 20, body)
    expect(answer).toMatch(/^HTTP\/1.1 507 .*connection: close\r\n.*\r\n\r\n$/is)
  })

  it('reads over a small unread body, so that the connection serves the next request', async () => {
    running = await startServer((_req, res) => endResponse(res, 'no'))
    const refused = 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n123456789'
    const next = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    const answer = await exchangeRaw(running.port, refused + next)
    expect(answer.match(/HTTP\/1.1 200/g)).toHaveLength(2)
  })

  it('cuts who announces a small body and never sends it', async () => {
    running = await startServer((_req, res) => endResponse(res, 'no'))
    const head = 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n'
    expect(await exchangeRaw(running.port, head)).toMatch(/^HTTP\/1.1 200 .*no$/s)
  })

  it('is no tunnel (RFC 9110 §9.3.6)', async () => {
    running = await startServer((_req, res) => res.end())
    const answer = await exchangeRaw(running.port, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 501 /)
  })

  it('speaks TLS', async () => {
    const certificate = makeCertificate('server.example.org')
    running = await startServer((_req, res) => res.end('over TLS'), { tls: certificate })
    const { port } = running
    const text = await new Promise<string>((done, fail) => {
      const ca = readFileSync(certificate.certFile)
      const req = httpsRequest(
        { host: '127.0.0.1', port, servername: 'server.example.org', ca, agent: false },
        (res) => {
          res.setEncoding('utf8').on('data', done)
        },
      )
      req.on('error', fail).end()
    })
    expect(text).toBe('over TLS')
    // A connection that never says hello must not outlive the server.
    const silent = connect({ host: '127.0.0.1', port })
    await new Promise((done) => silent.on('connect', done))
    await running.http.close(50)
    await new Promise((done) => silent.on('close', done).on('error', done).resume())
    certificate.remove()
  })

  it('asks for a body only when the handler wants it (RFC 9110 §10.1.1)', async () => {
    running = await startServer(async (req, res) => {
      if (req.url === '/no') writeOcmError(res, new Error('no'))
      else res.end(await readBody(req, { maxBytes: 10 }))
    })
    const head = (path: string): string =>
      `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n`
    expect(await exchangeRaw(running.port, head('/'), 50, 'body')).toMatch(
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 .*body$/s,
    )
    expect(await exchangeRaw(running.port, head('/no'))).toMatch(/^HTTP\/1.1 500 /)
  })

  it('lends its message classes to Express, which then changes no prototype', async () => {
    const app = express()
    let same = false
    running = await startServer((req, res) => {
      const before = [Object.getPrototypeOf(req), Object.getPrototypeOf(res)] as unknown[]
      app(req, res)
      same = before[0] === Object.getPrototypeOf(req) && before[1] === Object.getPrototypeOf(res)
    })
    running.http.adopt(app)
    app.get('/hello/:name', (req, res) => {
      res.status(201).json({ name: req.params['name'], path: req.path, app: req.app === app })
    })
    app.use(createErrorMiddleware(writeOcmError, captureLog().log))
    const answer = await exchangeRaw(running.port, get('/hello/marie?a=1'))
    expect(answer).toMatch(/^HTTP\/1.1 201 /)
    expect(answer).toContain('{"name":"marie","path":"/hello/marie","app":true}')
    expect(same).toBe(true)
    expect(await exchangeRaw(running.port, get('/hello/%zz'))).toMatch(
      /^HTTP\/1.1 400 .*malformed/s,
    )
  })
})
