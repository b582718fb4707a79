import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { partsOf } from '../../../src/webdav/content/parts.ts'
import { until } from '../http/support.ts'

/** What node reads from a socket at once. */
const readBytes = 64 * 1024

describe('the parts of a body', () => {
  let handle: (req: IncomingMessage, res: ServerResponse) => Promise<void>
  let outcome: unknown
  const server = createServer((req, res) => {
    handle(req, res).then(
      () => (outcome ??= 'done'),
      (error: unknown) => (outcome = error),
    )
  })
  beforeEach(async () => {
    outcome = undefined
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  const dial = () => connect((server.address() as AddressInfo).port, '127.0.0.1')
  const head = (length: number): string =>
    `PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`

  it.each([
    ['a slow reader', true],
    ['a quick reader', false],
  ])('come whole, in order, and never joined to %s', async (_name, isSlow) => {
    const received = createHash('sha256')
    let largest = 0
    handle = async (req, res) => {
      for await (const part of partsOf(req)) {
        received.update(part)
        largest = Math.max(largest, part.length)
        if (isSlow && Math.random() < 0.1) await sleep(1)
      }
      res.end()
    }
    const content = randomBytes(16 * 1024 * 1024)
    const socket = dial()
    socket.write(head(content.length))
    for (let at = 0; at < content.length; at += 20_000) {
      if (!socket.write(content.subarray(at, at + 20_000))) {
        await new Promise((resolve) => socket.once('drain', resolve))
      }
    }
    await until(() => outcome !== undefined)
    expect(outcome).toBe('done')
    expect(received.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'))
    expect(largest).toBeLessThanOrEqual(readBytes)
    socket.destroy()
  })

  it('are none where there is no content, nor when they were read', async () => {
    let count = 0
    handle = async (req, res) => {
      for (const body of [partsOf(req), partsOf(req)]) {
        for await (const part of body) count += part.length
      }
      res.end()
    }
    const socket = dial()
    socket.write(head(0))
    await until(() => outcome !== undefined)
    expect([outcome, count]).toEqual(['done', 0])
    socket.destroy()
  })

  it.each([
    ['while somebody waits for them', 0],
    ['before anybody asks for them', 60],
  ])('fail when the client leaves %s', async (_name, ms) => {
    handle = async (req) => {
      await sleep(ms)
      for await (const part of partsOf(req)) expect(part.length).toBeGreaterThan(0)
    }
    const socket = dial()
    socket.write(`${head(100)}the first few`)
    await sleep(30)
    socket.destroy()
    await until(() => outcome !== undefined)
    expect(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']).toContain(
      (outcome as NodeJS.ErrnoException).code,
    )
  })

  it('can be given up, also by whoever waits for one, and an answer still goes out', async () => {
    handle = async (req, res) => {
      const parts = partsOf(req)[Symbol.asyncIterator]()
      await parts.next()
      const pending = parts.next()
      await parts.return?.()
      expect(await pending).toEqual({ done: true, value: undefined })
      res.writeHead(413, { Connection: 'close' }).end()
    }
    const socket = dial()
    let answer = ''
    socket.on('data', (data) => (answer += String(data)))
    socket.write(`${head(1000)}the first few`)
    await until(() => answer.includes('413'))
    expect(outcome).toBe('done')
    socket.destroy()
  })

  it('wait in the connection while nobody asks for them', async () => {
    let req: IncomingMessage | undefined
    let open = (): void => undefined
    const opened = new Promise<void>((resolve) => (open = resolve))
    handle = async (given, res) => {
      req = given
      let isFirst = true
      for await (const part of partsOf(given)) {
        if (isFirst && part.length > 0) await opened
        isFirst = false
      }
      res.end()
    }
    const socket = dial()
    const length = 64 * 1024 * 1024
    socket.write(head(length))
    socket.write(Buffer.alloc(length))
    await sleep(300)
    expect(req?.socket.bytesRead).toBeLessThan(1024 * 1024)
    open()
    await until(() => outcome !== undefined)
    expect([outcome, req?.complete]).toEqual(['done', true])
    socket.destroy()
  })
})
