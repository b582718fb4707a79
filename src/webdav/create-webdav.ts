import type { IncomingMessage, ServerResponse } from 'node:http'
import type { v2 } from 'webdav-server'
import { andThen, newId, orElse, systemClock, type Awaitable } from '../core/index.ts'
import { DavError, toDavError } from './errors.ts'
import type { Settings, WebdavDeps } from './exchange.ts'
import { admit } from './gate/gate.ts'
import { createMethods } from './methods/index.ts'
import { sendOptions } from './methods/options.ts'
import { sendError } from './reply.ts'
import { WebdavServer, type RequestHandler } from './server.ts'
import { createUploads } from './uploads.ts'

export interface Webdav {
  /** For 'request' and 'checkContinue' of a node:http server; never throws, always answers. */
  readonly handle: RequestHandler
  readonly server: v2.WebDAVServer
}

const defaults = {
  infiniteDepth: false,
  smallBodyTimes: {},
  uploadPace: { idleMs: 60_000, minBytesPerSecond: 1024, windowMs: 120_000 },
  keepFreeBytes: 256 * 1024 * 1024,
  realm: 'davmesh',
  clock: systemClock,
  requestIdOf: () => undefined,
  onIdentified: () => undefined,
  addressOf: (req: IncomingMessage) => req.socket.remoteAddress ?? '',
}

/** Serves `/dav/files/<user>/…` and `/dav/ocm/…` over the trees that credentials open. */
export function createWebdav(deps: WebdavDeps): Webdav {
  const { keepFreeBytes } = { ...defaults, ...deps }
  const settings: Settings = { ...defaults, ...deps, uploads: createUploads(keepFreeBytes) }
  const methods = createMethods()

  const serve = (req: IncomingMessage, res: ServerResponse): Awaitable<void> =>
    andThen(admit(req, res, settings, methods), ({ method, exchange }) => {
      if (method) return method.run(exchange)
      sendOptions(res, methods.allow)
    })

  const handle: RequestHandler = (req, res) => {
    void orElse(
      () => serve(req, res),
      (error) => {
        refuse(req, res, error, settings)
      },
    )
  }
  return { handle, server: new WebdavServer(handle) }
}

function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  error: unknown,
  settings: Settings,
): void {
  const expected = toDavError(error)
  const isGone = res.destroyed || req.errored !== null
  if (isGone && (expected || isHangUp(error))) return
  if (expected) {
    sendError(res, expected)
    return
  }
  const requestId = settings.requestIdOf(req) ?? newId()
  settings.log.error({ err: error, requestId, method: req.method }, 'a WebDAV request failed')
  if (isGone) return
  const headers = { 'X-Request-Id': requestId }
  sendError(res, new DavError(500, 'Something went wrong on the server.', { headers }))
}

const hangUps = ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR']

/** The client went away: nothing is wrong, and nobody is left to answer to. */
const isHangUp = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'code' in error &&
  hangUps.includes(String(error.code))
