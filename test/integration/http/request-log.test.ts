import express from 'express'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { AppError } from '../../../src/core/index.ts'
import {
  createErrorMiddleware,
  createRequestLog,
  noteRequest,
  requestIdOf,
  writeOAuthError,
  type HttpHandler,
} from '../../../src/http/index.ts'
import { captureLog, exchangeRaw, startServer, until, type Running } from './support.ts'

const get = (target: string, headers = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`

describe('the request log', () => {
  let running: Running | undefined
  const { log, lines } = captureLog()
  const start = async (handler: HttpHandler): Promise<number> => {
    lines.length = 0
    running = await startServer(createRequestLog(log)(handler))
    return running.port
  }
  afterEach(() => running?.http.close(0))

  it('writes one line with what the handler noted, and nothing a client sent', async () => {
    let id: string | undefined
    const port = await start((req, res) => {
      id = requestIdOf(req)
      noteRequest(req, { peer: 'a.example.org', jti: 'j1' })
      noteRequest(req, { principal: 'marie', shareId: 's1' })
      res.statusCode = 207
      res.end()
    })
    const headers = 'X-Request-Id: canary-id\r\nAuthorization: Bearer canary-token\r\n'
    const answer = await exchangeRaw(port, get('/dav/x?access_token=canary-query', headers))
    await until(() => lines.length === 1)
    expect(answer).toContain(`X-Request-Id: ${String(id)}`)
    expect(lines[0]).toEqual({
      level: 30,
      time: expect.any(String),
      requestId: id,
      peer: 'a.example.org',
      jti: 'j1',
      principal: 'marie',
      shareId: 's1',
      method: 'GET',
      route: '/dav/x',
      status: 207,
      ms: expect.any(Number),
    })
    expect(JSON.stringify(lines)).not.toContain('canary')
  })

  it.each([
    ['http://marie:canary@x.example.org/path?canary', '/path'],
    ['/a%0a%22b?x', '/a%0a%22b'],
    ['/a?b?c', '/a'],
  ])('reduces %s to its path', async (target, route) => {
    const port = await start((_req, res) => res.end())
    await exchangeRaw(port, get(target))
    await until(() => lines.length === 1)
    expect(lines[0]).toHaveProperty('route', route)
  })

  it('says when the client left', async () => {
    const port = await start(() => undefined)
    const socket = connect({ host: '127.0.0.1', port })
    socket.write(get('/slow'), () => setTimeout(() => socket.destroy(), 30))
    await until(() => lines.length === 1)
    expect(lines[0]).toMatchObject({ status: 499, aborted: true })
  })

  it('shares its id with the error that reached the wire', async () => {
    const app = express()
    const kinds = { '/ours': 'internal', '/theirs': 'invalid', '/peer': 'upstream' } as const
    app.get(['/ours', '/theirs', '/peer'], (req) => {
      const kind = kinds[req.path as keyof typeof kinds]
      if (kind === 'internal') throw new TypeError('canary')
      throw new AppError(kind, 'why', 'Text for strangers', { detail: { fact: 1 } })
    })
    app.use(createErrorMiddleware(writeOAuthError, log))
    const port = await start((req, res) => app(req, res))

    const answer = await exchangeRaw(port, get('/ours'))
    await until(() => lines.length === 2)
    const id = String(lines[0]?.['requestId'])
    expect(answer).toContain(`"error_description":"Internal error (request ${id})"`)
    expect(lines).toEqual([
      expect.objectContaining({ level: 50, requestId: id }),
      expect.objectContaining({ level: 30, requestId: id, status: 500 }),
    ])
    await exchangeRaw(port, get('/theirs'))
    await exchangeRaw(port, get('/peer'))
    await until(() => lines.length === 6)
    const levels = lines.filter((line) => line['code'] === 'why').map((line) => line['level'])
    expect(levels).toEqual([30, 40])
    expect(lines[2]).toMatchObject({ detail: { fact: 1 } })
  })
})
