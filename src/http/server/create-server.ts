import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import { AppError, settledWithin, type Logger } from '../../core/index.ts'
import { writeOcmError } from '../answers/error-writers.ts'
import { endWaiting } from '../answers/end-together.ts'
import { logError } from '../answers/log-error.ts'
import { holdContinue } from '../bodies/continue.ts'
import type { AdmissionOptions, Refusal } from './admission.ts'
import { answerClientError, refuseConnect } from './client-error.ts'
import { trackConnections, type Connections } from './connections.ts'
import { createMessageClasses, type MessageClasses } from './express-prototypes.ts'

/** Whatever answers a request; a rejected promise or a throw becomes a logged 500. */
export type HttpHandler = (req: IncomingMessage, res: ServerResponse) => unknown

/** Time and size limits, in milliseconds and bytes; tests shorten them. */
export interface ServerLimits {
  readonly headersTimeoutMs: number
  readonly checkingIntervalMs: number
  readonly keepAliveTimeoutMs: number
  readonly maxHeaderBytes: number
  /** Stream buffer of sockets; larger is faster for big uploads and dearer for slow clients. */
  readonly highWaterMark: number
  /** How long a client may take nothing of what is written for it. */
  readonly stalledMs: number
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
}

/** What a server needs; without `tls` it speaks plain HTTP. */
export interface HttpServerOptions {
  readonly log: Logger
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly limits?: Partial<ServerLimits>
  /** Whom a connection from an address counts for; `undefined`: for nobody. */
  readonly countAs?: AdmissionOptions['countAs']
}

/** A listener with our limits and an orderly end. */
export interface HttpServer {
  readonly server: Server
  listen(at: { readonly host: string; readonly port: number }): Promise<AddressInfo>
  /** Makes the one Express application fast on this server; call it before traffic. */
  adopt(app: Express): void
  /** Serves new TLS connections with what is in the files now. @throws when they cannot be used. */
  renewCertificate(): void
  /** Stops accepting, lets running requests end, and cuts what is left after `graceMs`; settles
   *  when their handlers are done as well. */
  close(graceMs: number): Promise<void>
}

/** How long handlers may take to clean up after their connections were cut. */
const endingMs = 5_000

const defaults: ServerLimits = {
  headersTimeoutMs: 30_000,
  checkingIntervalMs: 5_000,
  // Longer than the 60 s for which usual proxies keep a connection, so that they close first.
  keepAliveTimeoutMs: 65_000,
  maxHeaderBytes: 16 * 1024,
  highWaterMark: 256 * 1024,
  stalledMs: 300_000,
  maxConnections: 8192,
  maxConnectionsPerAddress: 1536,
}

/**
 * A Node HTTP or HTTPS server. `Expect: 100-continue` reaches the same handler, which answers or
 * calls `sendContinue` (or `readBody`, which does).
 */
export function createHttpServer(handler: HttpHandler, options: HttpServerOptions): HttpServer {
  const classes = createMessageClasses()
  const limits = { ...defaults, ...options.limits }
  const { log, tls, countAs = (address: string) => address } = options
  const server = openServer(classes, limits, tls)
  const connections = trackConnections(server, {
    ...limits,
    secure: tls !== undefined,
    countAs,
    log,
  })
  const running = new Set<Promise<unknown>>()
  const serve = guard(handler, connections, running, log)

  server.on('request', serve)
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    holdContinue(req, res)
    serve(req, res)
  })
  server.on('clientError', (error: Error, socket) => {
    endWaiting()
    answerClientError(error, socket, connections.isAnswering(socket))
  })
  server.on('connect', (_request, socket) => refuseConnect(socket))
  return {
    server,
    listen: (at) => listen(server, at),
    adopt: (app) => classes.adopt(app),
    async close(graceMs) {
      await close(server, connections, graceMs)
      // Without their clients handlers end soon: what they have begun is put right before.
      await settledWithin(endingMs, running)
    },
    renewCertificate() {
      const { tls } = options
      if (tls !== undefined && server instanceof TlsServer) server.setSecureContext(readTls(tls))
    },
  }
}

function openServer(
  { IncomingMessage, ServerResponse }: MessageClasses,
  limits: ServerLimits,
  tls: HttpServerOptions['tls'],
): Server {
  const settings = {
    IncomingMessage,
    ServerResponse,
    headersTimeout: limits.headersTimeoutMs,
    connectionsCheckingInterval: limits.checkingIntervalMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    // It would count the body of an honest slow upload; bodies have their own timers.
    requestTimeout: 0,
    highWaterMark: limits.highWaterMark,
  }
  const server =
    tls === undefined
      ? createServer(settings)
      : createTlsServer({
          ...settings,
          ...readTls(tls),
          handshakeTimeout: limits.headersTimeoutMs,
        })
  // Node would silently drop the 2001st field; the size limit bounds them already.
  server.maxHeadersCount = 0
  server.maxRequestsPerSocket = 0
  return server
}

/** @throws when a file cannot be read. */
const readTls = ({ certFile, keyFile }: { certFile: string; keyFile: string }) => ({
  cert: readFileSync(certFile),
  key: readFileSync(keyFile),
  minVersion: 'TLSv1.2' as const,
})

/** RFC 6585 §4 for who has too many, RFC 9110 §15.6.4 for who comes when all are taken. */
const refusedBy = (refusal: Refusal): AppError =>
  new AppError(
    refusal === 'address' ? 'too_many' : 'unavailable',
    'too_many_connections',
    'Too many connections; try again later.',
    { retryAfterSeconds: 5 },
  )

function guard(
  handler: HttpHandler,
  connections: Connections,
  running: Set<Promise<unknown>>,
  log: Logger,
): HttpHandler {
  return (req, res) => {
    connections.begin(req, res)
    const refusal = connections.refusalOf(req.socket)
    if (refusal) {
      res.setHeader('Connection', 'close')
      writeOcmError(res, refusedBy(refusal))
      return
    }
    const fail = (error: unknown): void => {
      logError(log, req, error)
      writeOcmError(res, error)
    }
    try {
      const result = handler(req, res)
      if (!(result instanceof Promise)) return
      running.add(result)
      result.catch(fail).finally(() => running.delete(result))
    } catch (error) {
      fail(error)
    }
  }
}

function listen(server: Server, at: { host: string; port: number }): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}

function close(server: Server, connections: Connections, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => connections.cut(), graceMs)
    server.close(() => {
      // Also called, with an error, when it never listened: closed is what was asked for.
      clearTimeout(timer)
      resolve()
    })
    connections.drain()
  })
}
