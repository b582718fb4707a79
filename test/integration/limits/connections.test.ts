import { afterEach, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  exchangeRaw,
  makeCertificate,
  pause,
  startServer,
  until,
  type Running,
} from '../http/support.ts'

let running: Running

afterEach(() => running.http.close(0))

const get = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

/** Connections that ask nothing. */
function open(count: number): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ host: '127.0.0.1', port: running.port })
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      return socket
    }),
  )
}

const connections = (): Promise<number> =>
  new Promise((resolve) => {
    running.http.server.getConnections((_, count) => resolve(count))
  })

const untilOpen = async (count: number): Promise<void> => {
  while ((await connections()) !== count) await pause(5)
}

describe('open connections', () => {
  it.each([
    ['of one address: 429 (RFC 6585 §4)', { maxConnectionsPerAddress: 5 }, 429],
    ['of all: 503', { maxConnections: 5 }, 503],
  ])('are counted, %s', async (_, limits, status) => {
    let served = 0
    running = await startServer((_req, res) => res.end(String((served += 1))), { limits })
    const idle = await open(5)
    await untilOpen(5)
    const refused = await exchangeRaw(running.port, get)
    expect(refused).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(refused).toMatch(/\r\nRetry-After: \d+\r\n/)
    expect(refused).toMatch(/\r\nConnection: close\r\n/)
    expect(refused).toContain('{"message":"Too many connections; try again later."}')
    expect(served).toBe(0)
    idle.pop()?.destroy()
    await untilOpen(4)
    expect(await exchangeRaw(running.port, get)).toMatch(/^HTTP\/1.1 200 /)
    for (const socket of idle) socket.destroy()
  })

  it('beyond the bound are closed soon, and said so once in the log', async () => {
    const limits = { maxConnectionsPerAddress: 3, checkingIntervalMs: 50 }
    running = await startServer((_req, res) => res.end(), { limits })
    const all = await open(20)
    await untilOpen(3)
    await until(() => running.lines.some(({ msg }) => msg === 'too many connections'))
    const [line] = running.lines
    expect(line).toMatchObject({ level: 40, refused: expect.any(Number) })
    for (const socket of all) socket.destroy()
  })

  it('of a proxy are not counted for its address', async () => {
    running = await startServer((_req, res) => res.end(), {
      limits: { maxConnectionsPerAddress: 3 },
      countAs: () => undefined,
    })
    const all = await open(10)
    expect(await exchangeRaw(running.port, get)).toMatch(/^HTTP\/1.1 200 /)
    for (const socket of all) socket.destroy()
  })

  it('within TLS cannot be told why before there is TLS', async () => {
    const certificate = makeCertificate('server.example.org')
    const limits = { maxConnectionsPerAddress: 3 }
    running = await startServer((_req, res) => res.end(), { limits, tls: certificate })
    const all = await open(10)
    await untilOpen(3)
    for (const socket of all) socket.destroy()
    certificate.remove()
  })
})

describe('an answer that nobody reads', () => {
  const part = Buffer.alloc(1024 * 1024)

  /** Writes as long as somebody reads. */
  const endless = { writes: 0 }
  const startEndless = async (stalledMs: number): Promise<void> => {
    const limits = { stalledMs, checkingIntervalMs: 20 }
    running = await startServer(
      (_req, res) => {
        const write = (): void => {
          endless.writes += 1
          if (!res.destroyed) res.write(part, write)
        }
        write()
      },
      { limits },
    )
  }

  it('is cut off when nothing was taken for the time that is allowed', async () => {
    await startEndless(200)
    const [socket] = await open(1)
    socket?.pause()
    socket?.write(get)
    await until(() => endless.writes > 2)
    await untilOpen(0)
    socket?.destroy()
  })

  it('goes on for who reads slowly', async () => {
    await startEndless(1500)
    const [socket] = (await open(1)) as [Socket]
    socket.pause()
    socket.write(get)
    let taken = 0
    let isCut = false
    socket.on('close', () => (isCut = true))
    const reader = setInterval(() => {
      taken += (socket.read(256 * 1024) as Buffer | null)?.length ?? 0
    }, 10)
    // Many times what the kernels of both ends hold, in longer than the time that is allowed.
    await until(() => taken > 40 * part.length, 15_000)
    expect(isCut).toBe(false)
    clearInterval(reader)
    socket.destroy()
  })

  it('is not the fault of a client while there is nothing to read', async () => {
    const limits = { stalledMs: 50, checkingIntervalMs: 10 }
    running = await startServer((_req, res) => setTimeout(() => res.end('at last'), 500), {
      limits,
    })
    expect(await exchangeRaw(running.port, get)).toMatch(/at last$/)
  })
})
