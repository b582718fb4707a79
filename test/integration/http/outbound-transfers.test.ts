import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import {
  createGuardedClient,
  type GuardedClient,
  type GuardedClientOptions,
} from '../../../src/http/index.ts'
import { captureLog, startRaw, until } from './support.ts'

/** More than kernels at both ends hold. */
const largeBytes = 24 * 1024 * 1024

async function* zeros(bytes: number): AsyncGenerator<Buffer> {
  const chunk = Buffer.alloc(64 * 1024)
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    await Promise.resolve()
    yield chunk
  }
}

describe('files on their way out and in', () => {
  let client: GuardedClient | undefined
  let target: Server
  let url: string
  let answer: (req: IncomingMessage, res: ServerResponse) => void = (_req, res) => res.end()

  beforeAll(async () => {
    target = createServer((req, res) => {
      req.on('error', () => undefined)
      answer(req, res)
    })
    await new Promise<void>((done) => target.listen(0, '127.0.0.1', done))
    url = `http://127.0.0.1:${(target.address() as AddressInfo).port}/`
  })
  afterEach(() => client?.close())
  afterAll(() => {
    target.closeAllConnections()
    target.close()
  })

  const open = (options: Partial<GuardedClientOptions> = {}): GuardedClient => {
    const { log } = captureLog()
    client = createGuardedClient({ log, allowHttp: true, allowPrivateNetworks: true, ...options })
    return client
  }
  const put = (guarded: GuardedClient, body: Readable, signal?: AbortSignal) =>
    guarded.stream({ method: 'PUT', url, body, signal })

  it('an upload outlives the time-out as long as the peer takes it', async () => {
    let taken = 0
    answer = (req, res) => {
      void (async () => {
        for await (const chunk of req) {
          taken += (chunk as Buffer).length
          await sleep(3)
        }
        res.end()
      })().catch(() => undefined)
    }
    const startedAt = performance.now()
    const guarded = open({ timeoutMs: 150 })
    const response = await put(guarded, Readable.from(zeros(largeBytes)))
    expect([response.status, taken]).toEqual([200, largeBytes])
    // Otherwise this proves nothing.
    expect(performance.now() - startedAt).toBeGreaterThan(450)
    response.body.resume()
  })

  it('an upload outlives the time-out while its source has nothing', async () => {
    answer = (req, res) => void req.resume().on('end', () => res.end())
    async function* slow(): AsyncGenerator<Buffer> {
      yield Buffer.from('a')
      await sleep(400)
      yield Buffer.from('b')
    }
    const response = await put(open({ timeoutMs: 60 }), Readable.from(slow()))
    expect(response.status).toBe(200)
    response.body.resume()
  })

  it('an upload ends when the peer takes nothing more, and its source is let go', async () => {
    let isHeld = true
    async function* source(): AsyncGenerator<Buffer> {
      try {
        yield* zeros(largeBytes)
      } finally {
        isHeld = false
      }
    }
    const raw = await startRaw((socket) => void socket.pause())
    const call = open({ timeoutMs: 50 }).stream({
      method: 'PUT',
      url: `http://127.0.0.1:${raw.port}/`,
      body: Readable.from(source()),
    })
    await expect(call).rejects.toMatchObject({ code: 'timeout' })
    await until(() => !isHeld)
    await raw.close()
  })

  it('an upload ends when nobody answers it', async () => {
    answer = (req) => void req.resume()
    const call = put(open({ timeoutMs: 50 }), Readable.from(zeros(100_000)))
    await expect(call).rejects.toMatchObject({ code: 'timeout' })
  })

  it('a source that fails cuts the upload off, and its error is the one that is thrown', async () => {
    let ended: string | undefined
    answer = (req) => {
      req.resume().on('end', () => (ended = 'end'))
      req.on('close', () => (ended ??= 'cut'))
    }
    async function* broken(): AsyncGenerator<Buffer> {
      yield* zeros(200_000)
      throw new Error('the client left')
    }
    await expect(put(open(), Readable.from(broken()))).rejects.toThrow('the client left')
    await until(() => ended !== undefined)
    expect(ended).toBe('cut')
  })

  it('an early answer is read, and the rest is not sent', async () => {
    answer = (_req, res) => void res.writeHead(507).end('full')
    const body = Readable.from(zeros(largeBytes))
    const response = await put(open(), body)
    expect(response.status).toBe(507)
    response.body.resume()
    await until(() => body.destroyed)
  })

  it('aborting cuts the connection, before the answer and in it', async () => {
    const cut: string[] = []
    answer = (req, res) => {
      if (req.url === '/waits') req.on('close', () => cut.push('waiting'))
      else {
        res.write('x')
        res.on('close', () => cut.push('reading'))
      }
    }
    const guarded = open()
    const early = new AbortController()
    const waiting = guarded.stream({ method: 'GET', url: `${url}waits`, signal: early.signal })
    await sleep(20)
    early.abort(new Error('not wanted'))
    await expect(waiting).rejects.toThrow('not wanted')
    const late = new AbortController()
    const response = await guarded.stream({ method: 'GET', url, signal: late.signal })
    late.abort(new Error('not wanted any more'))
    await expect(response.body.toArray()).rejects.toThrow('not wanted any more')
    await until(() => cut.length === 2)
  })

  it('a reader that stops stops the sender', async () => {
    let sent = 0
    answer = (_req, res) => {
      const more = (): void => {
        while (res.write(Buffer.alloc(64 * 1024))) sent += 64 * 1024
      }
      res.on('drain', more)
      more()
    }
    const response = await open({ timeoutMs: 500 }).stream({ method: 'GET', url })
    response.body.once('readable', () => undefined)
    await sleep(1500)
    const before = sent
    await sleep(100)
    expect(sent).toBe(before)
    expect(response.body.errored).toBeNull()
    response.body.destroy()
  })

  it('says in our words that a body broke off', async () => {
    const raw = await startRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', () => {
        setTimeout(() => socket.resetAndDestroy(), 20)
      })
    })
    const { body } = await open().stream({ method: 'GET', url: `http://127.0.0.1:${raw.port}/` })
    await expect(body.toArray()).rejects.toMatchObject({ code: 'reset', kind: 'upstream' })
    await raw.close()
  })

  it('keeps the failure of a body until somebody reads it', async () => {
    const raw = await startRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', () => {
        setTimeout(() => socket.resetAndDestroy(), 20)
      })
    })
    const { body } = await open().stream({ method: 'GET', url: `http://127.0.0.1:${raw.port}/` })
    // Nobody listens yet, and an error that nobody listens to would end the process.
    await until(() => body.destroyed)
    await expect(body.toArray()).rejects.toMatchObject({ code: 'reset', kind: 'upstream' })
    await raw.close()
  })

  it('long downloads are not in the way of what is quick, and neither are listings', async () => {
    const running: ServerResponse[] = []
    answer = (req, res) => {
      if (req.url !== '/file') res.end('quick')
      else {
        res.write('x')
        running.push(res)
      }
    }
    const guarded = open({ maxTransfersPerHost: 12 })
    const files = await Promise.all(
      Array.from({ length: 12 }, () => guarded.stream({ method: 'GET', url: `${url}file` })),
    )
    expect((await guarded.request({ method: 'POST', url, body: 'x' })).status).toBe(200)
    const listing = await guarded.stream({ method: 'PROPFIND', url })
    expect(Buffer.concat(await listing.body.toArray()).toString()).toBe('quick')
    for (const { body } of files) body.destroy()
    await until(() => running.every(({ destroyed }) => destroyed))
  })

  /** Content that shows where it belongs. */
  const pattern = (bytes: number): Buffer => {
    const content = Buffer.alloc(bytes)
    for (let at = 0; at < bytes; at += 4) content.writeUInt32LE(at, at)
    return content
  }

  it('pours a large body as it is, and closes the connection', async () => {
    const content = pattern(40 * 1024 * 1024)
    let closed = 0
    answer = (req, res) => {
      req.socket.once('close', () => (closed += 1))
      res.writeHead(200, { 'content-length': content.length }).end(content)
    }
    const { pour, body } = await open().stream({ method: 'GET', url })
    const received = Buffer.alloc(content.length)
    let at = 0
    await pour?.(async (part) => {
      at += Buffer.from(part).copy(received, at)
      await Promise.resolve()
    })
    expect([at, received.equals(content), body.destroyed]).toEqual([content.length, true, true])
    await until(() => closed === 1)
  })

  it('pours as slowly as its taker takes, in memory that is used again', async () => {
    const content = pattern(40 * 1024 * 1024)
    answer = (_req, res) =>
      void res.writeHead(200, { 'content-length': content.length }).end(content)
    const { pour } = await open({ timeoutMs: 300 }).stream({ method: 'GET', url })
    const buffers = new Set<ArrayBufferLike>()
    let hold: Promise<void> | undefined
    let waiting = 0
    let most = 0
    let at = 0
    await pour?.(async (part) => {
      const expected = content.subarray(at, (at += part.length))
      waiting += 1
      most = Math.max(most, waiting)
      // Longer than the peer may be silent: it is not its fault.
      if (at > 30 * 1024 * 1024) await (hold ??= sleep(900))
      waiting -= 1
      if (part.buffer.byteLength >= 512 * 1024) buffers.add(part.buffer)
      if (!expected.equals(part)) throw new Error('other bytes came')
    })
    expect(at).toBe(content.length)
    expect(most).toBeLessThanOrEqual(6)
    expect(buffers.size).toBeLessThanOrEqual(3)
  })

  it.each([
    ['resets the connection', (res: ServerResponse) => res.socket?.resetAndDestroy(), 'reset'],
    ['ends early', (res: ServerResponse) => res.socket?.end(), 'reset'],
    ['falls silent', () => undefined, 'timeout'],
  ])('pouring fails when the sender %s', async (_name, leave, code) => {
    answer = (_req, res) => {
      res.writeHead(200, { 'content-length': 64 * 1024 * 1024 })
      res.write(Buffer.alloc(40 * 1024 * 1024), () => setTimeout(() => leave(res), 50))
    }
    const { pour } = await open({ timeoutMs: 300 }).stream({ method: 'GET', url })
    let size = 0
    const pouring = pour?.((part) => {
      size += part.length
      return Promise.resolve()
    })
    await expect(pouring).rejects.toMatchObject({ code })
    expect(size).toBeLessThanOrEqual(40 * 1024 * 1024)
  })

  it('pouring ends the connection when its taker leaves', async () => {
    let closed = false
    answer = (req, res) => {
      req.socket.once('close', () => (closed = true))
      res.on('error', () => undefined)
      res.writeHead(200, { 'content-length': 64 * 1024 * 1024 }).end(Buffer.alloc(64 * 1024 * 1024))
    }
    const { pour } = await open().stream({ method: 'GET', url })
    let size = 0
    const pouring = pour?.((part) => {
      size += part.length
      return size > 30 * 1024 * 1024 ? Promise.reject(new Error('gone')) : Promise.resolve()
    })
    await expect(pouring).rejects.toThrow('gone')
    await until(() => closed)
  })

  it('who waits for a connection waits no longer than for an answer', async () => {
    answer = (_req, res) => {
      const timer = setInterval(() => res.write('x'), 10)
      res.on('close', () => clearInterval(timer))
    }
    const guarded = open({ maxTransfersPerHost: 1, timeoutMs: 1000 })
    const first = await guarded.stream({ method: 'GET', url })
    first.body.on('error', () => undefined)
    const left = guarded.stream({
      method: 'GET',
      url,
      signal: AbortSignal.abort(new Error('left')),
    })
    await expect(left).rejects.toThrow('left')
    const second = guarded.stream({ method: 'GET', url })
    // It is not the peer that was late.
    await expect(second).rejects.toMatchObject({ code: 'no_connection', kind: 'unavailable' })
    first.body.destroy()
  })
})
