import express, { type Express, type RequestHandler } from 'express'
import { createAddressOf } from './client-address.ts'
import { AppError, parseAuthority } from './core/index.ts'
import { createDav } from './dav.ts'
import { discoveryPaths, endpointPaths } from './discovery/index.ts'
import { serveDiscovery, serveJwks } from './discovery/routes.ts'
import {
  createErrorMiddleware,
  createRequestLog,
  writeOAuthError,
  writeOcmError,
  type HttpHandler,
} from './http/index.ts'
import { serveInviteAccepted } from './invites/routes.ts'
import { serveNotifications } from './notifications/routes.ts'
import { createLimitChecks, type LimitCheck, type RouteLimit } from './request-limits.ts'
import type { Services } from './services.ts'
import { serveIncomingShares } from './shares/routes.ts'
import { serveTokenEndpoint } from './tokens/routes.ts'

/** One line of the route table. */
export interface Route {
  readonly method: 'GET' | 'POST'
  readonly paths: readonly string[]
  /** Who may ask: anybody, or a peer that proves itself in the handler. */
  readonly auth: 'none' | 'peer'
  /** Largest request body in bytes; 0 for none. */
  readonly maxBodyBytes: number
  /** How failures are written. */
  readonly dialect: 'ocm' | 'oauth'
  /** How often an address may ask; absent: as often as it likes. */
  readonly limit?: RouteLimit
  readonly handler: RequestHandler
}

const kib = 1024

const open = { method: 'GET', auth: 'none', maxBodyBytes: 0, dialect: 'ocm' } as const

/** Everything that is not WebDAV, in one list. */
export function routeTable(services: Services): Route[] {
  const { config, federation, incoming, invites, keys, notifications, tokens } = services
  const { publicUrl, provider } = config
  const peer = { method: 'POST', auth: 'peer' } as const
  const smallBytes = 16 * kib
  const messageBytes = 64 * kib
  return [
    {
      ...open,
      paths: discoveryPaths,
      limit: 'discovery',
      handler: serveDiscovery(
        () => ({ publicUrl, provider, policy: federation.current() }),
        config.signatures.legacy ? keys.legacySigner : undefined,
      ),
    },
    {
      ...open,
      paths: [endpointPaths.jwksUri],
      limit: 'discovery',
      handler: serveJwks(keys.jwks),
    },
    {
      ...peer,
      paths: [endpointPaths.tokenEndPoint],
      maxBodyBytes: smallBytes,
      dialect: 'oauth',
      limit: 'token',
      handler: serveTokenEndpoint(tokens.exchange, publicUrl, smallBytes),
    },
    {
      ...peer,
      paths: ['/ocm/shares'],
      maxBodyBytes: messageBytes,
      dialect: 'ocm',
      limit: 'messages',
      handler: serveIncomingShares(incoming.receive, publicUrl, messageBytes),
    },
    {
      ...peer,
      paths: ['/ocm/notifications'],
      maxBodyBytes: messageBytes,
      dialect: 'ocm',
      limit: 'messages',
      handler: serveNotifications(notifications.receive, publicUrl, messageBytes),
    },
    {
      ...peer,
      // The second is old reva's.
      paths: ['/ocm/invite-accepted', '/ocm/invites/accept'],
      maxBodyBytes: smallBytes,
      dialect: 'ocm',
      limit: 'messages',
      handler: serveInviteAccepted(invites.receive, publicUrl, smallBytes),
    },
    ...healthRoutes(services),
  ]
}

/** Whether the process lives, and whether it can work. */
function healthRoutes({ health }: Services): Route[] {
  return [
    {
      ...open,
      paths: ['/healthz'],
      handler: (_request, response) => {
        response.set('Cache-Control', 'no-store').json({ status: 'ok' })
      },
    },
    {
      ...open,
      paths: ['/readyz'],
      handler: async (_request, response) => {
        const trouble = await health.findTrouble()
        response.set('Cache-Control', 'no-store').status(trouble === undefined ? 200 : 503)
        response.json({ status: trouble ?? 'ready' })
      },
    },
  ]
}

const errorWriters = { ocm: writeOcmError, oauth: writeOAuthError }

/** All of davmesh as one request listener, and the Express application inside it. */
export function createListener(services: Services): { listener: HttpHandler; web: Express } {
  const web = createWeb(services, routeTable(services))
  const dav = createDav(services)
  const logged = createRequestLog(services.log.child({ room: 'http' }), services.metrics.observe)
  // WebDAV is dispatched before Express, which would cost it more than its own work.
  const listener = logged((request, response) =>
    isDav(request.url ?? '/') ? dav.handle(request, response) : web(request, response),
  )
  return { listener, web }
}

const isDav = (target: string): boolean => /^(https?:\/\/[^/]*)?\/dav(\/|\?|$)/i.test(target)

/** What the admin listener answers: health and metrics, and nothing that needs a credential. */
export const createAdminListener = (
  services: Services,
  metrics: () => Promise<string>,
): HttpHandler => createWeb(services, [...healthRoutes(services), metricsRoute(services, metrics)])

const metricsRoute = ({ metrics }: Services, text: () => Promise<string>): Route => ({
  ...open,
  paths: ['/metrics'],
  handler: async (_request, response) => {
    response.set('Content-Type', metrics.contentType).set('Cache-Control', 'no-store')
    response.end(await text())
  },
})

function createWeb(services: Services, routes: readonly Route[]): Express {
  const web = express()
    .disable('x-powered-by')
    .disable('etag')
    .enable('strict routing')
    .enable('case sensitive routing')
  const checks = createLimitChecks(
    services.requestLimits,
    createAddressOf(services.config.trustProxy),
  )
  for (const route of routes) {
    const onError = createErrorMiddleware(errorWriters[route.dialect], services.log)
    const before = route.auth === 'peer' ? [refuseForeignHost(services.config.authority)] : []
    if (route.limit) before.push(limited(checks[route.limit]))
    for (const path of route.paths) {
      web[route.method === 'GET' ? 'get' : 'post'](path, ...before, route.handler)
      web.all(path, refuseMethod(route.method))
      web.use(path, onError)
    }
  }
  web.use(() => {
    throw new AppError(
      'not_found',
      'not_found',
      'There is nothing here; files are below /dav/files/.',
    )
  })
  web.use(createErrorMiddleware(writeOcmError, services.log))
  return web
}

const limited =
  (check: LimitCheck): RequestHandler =>
  async (request, response, next) => {
    await check(request, response)
    next()
  }

/** RFC 9110 §15.5.6: 405 says what is allowed. */
const refuseMethod =
  (method: Route['method']): RequestHandler =>
  (_request, response) => {
    response.set('Allow', method === 'GET' ? 'GET, HEAD' : method)
    throw new AppError('not_allowed', 'method_not_allowed', `Only ${method} is allowed here.`)
  }

/**
 * RFC 9110 §15.5.20: a signed message for another site is not answered as if it were ours. Proxies
 * that put their own idea of a host (an address, `localhost`, a bare name) are let through.
 */
const refuseForeignHost =
  (authority: string): RequestHandler =>
  (request, _response, next) => {
    const host = parseAuthority(request.headers.host ?? '')
    const internal = host === undefined || /^(\[|\d+(\.\d+){3}(:|$)|[^.]+$)/.test(host)
    if (internal || host === authority) {
      next()
      return
    }
    throw new AppError('misdirected', 'foreign_host', 'This server does not answer for that host.')
  }
