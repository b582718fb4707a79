import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger, type Logger } from '../../../src/core/index.ts'
import {
  createHttpServer,
  type HttpHandler,
  type HttpServer,
  type HttpServerOptions,
} from '../../../src/http/index.ts'

/** A logger that keeps its lines. */
export function captureLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const write = (text: string): void => {
    lines.push(JSON.parse(text) as Record<string, unknown>)
  }
  return { log: createLogger({ level: 'debug', format: 'json', stream: { write } }), lines }
}

export interface Running {
  readonly http: HttpServer
  readonly port: number
  readonly lines: Record<string, unknown>[]
}

/** Our server with a handler on a free port. */
export async function startServer(
  handler: HttpHandler,
  options: Partial<HttpServerOptions> = {},
): Promise<Running> {
  const { log, lines } = captureLog()
  const http = createHttpServer(handler, { log, ...options })
  const { port } = await http.listen({ host: '127.0.0.1', port: 0 })
  return { http, port, lines }
}

export interface RawServer {
  readonly port: number
  readonly sockets: Set<Socket>
  /** Everything received, over all connections. */
  received(): string
  connections(): number
  close(): Promise<void>
}

/** A TCP server that says exactly what a test wants said. */
export async function startRaw(
  onRequest: (socket: Socket) => void,
  host = '127.0.0.1',
): Promise<RawServer> {
  const sockets = new Set<Socket>()
  let text = ''
  let count = 0
  const server: Server = createServer((socket) => {
    count++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      if (bytes.includes('\r\n\r\n')) onRequest(socket)
    })
  })
  await new Promise<void>((done) => server.listen(0, host, done))
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    received: () => text,
    connections: () => count,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Sends bytes (numbers are pauses) and collects what comes back until the other side closes. */
export const exchangeRaw = (port: number, ...parts: (string | number)[]): Promise<string> =>
  talk(port, parts)

/** The same, but hangs up as soon as one of our JSON errors is complete. */
export const askRaw = (port: number, ...parts: (string | number)[]): Promise<string> =>
  talk(port, parts, /\{"message":[^}]*\}$/)

function talk(port: number, parts: (string | number)[], enough?: RegExp): Promise<string> {
  return new Promise((done) => {
    let text = ''
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      if (enough?.test(text) === true) socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => done(text))
    void (async () => {
      for (const part of parts) {
        if (typeof part === 'number') await pause(part)
        else socket.write(part)
      }
    })()
  })
}

export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))

/** Waits for a fact instead of guessing how long it takes. */
export async function until(fact: () => boolean, withinMs = 3_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!fact()) {
    if (performance.now() > end) throw new Error('It did not become true in time')
    await pause(5)
  }
}

export interface ThrowAwayCertificate {
  readonly certFile: string
  readonly keyFile: string
  remove(): void
}

/** A self-signed certificate that lives as long as its test. */
export function makeCertificate(name: string, days = 2): ThrowAwayCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'davmesh-http-'))
  const [certFile, keyFile, request] = ['cert.pem', 'key.pem', 'request.pem'].map((file) =>
    join(folder, file),
  ) as [string, string, string]
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  openssl('req', '-new', ...key, ...subject, '-keyout', keyFile, '-out', request)
  const sign = ['-signkey', keyFile, '-copy_extensions', 'copyall', '-days', String(days)]
  openssl('x509', '-req', '-in', request, ...sign, '-out', certFile)
  return { certFile, keyFile, remove: () => rmSync(folder, { recursive: true }) }
}
