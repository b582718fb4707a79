import { Agent, type Dispatcher } from 'undici'
import { authorityOf } from '../../core/index.ts'
import { report, withDeadline } from './call.ts'
import { createConnector } from './connector.ts'
import type {
  GuardedClient,
  GuardedClientOptions,
  OutboundRequest,
  OutboundResponse,
  OutboundStreamRequest,
  OutboundStreamResponse,
} from './contract.ts'
import { OutboundError } from './errors.ts'
import { requestHeaders, responseHeaders } from './headers.ts'
import { isRedirect, nextTarget, refuseRedirect } from './redirect.ts'
import { collect, refuseCoding } from './response-body.ts'
import { parseTarget } from './target.ts'

const defaults = {
  timeoutMs: 10_000,
  connectTimeoutMs: 2_000,
  maxResponseBytes: 1024 * 1024,
  allowPrivateNetworks: false,
  allowHttp: false,
  maxConnectionsPerHost: 10,
}

type Settings = typeof defaults & GuardedClientOptions

/** A client that reaches public https servers only, with every answer bounded in size and time. */
export function createGuardedClient(options: GuardedClientOptions): GuardedClient {
  const settings: Settings = { ...defaults, ...options }
  const agent = new Agent({
    connect: createConnector(settings),
    connections: settings.maxConnectionsPerHost,
    pipelining: 1,
    maxHeaderSize: 16 * 1024,
    headersTimeout: settings.timeoutMs,
    bodyTimeout: settings.timeoutMs,
    keepAliveMaxTimeout: 30_000,
  })
  return {
    request: (request) =>
      report(settings.log, request, () =>
        withDeadline(request, settings.timeoutMs, (signal) =>
          fetchWhole(agent, settings, request, signal),
        ),
      ),
    stream: (request) => report(settings.log, request, () => fetchStream(agent, settings, request)),
    close: () => agent.destroy(),
  }
}

async function fetchWhole(
  agent: Agent,
  settings: Settings,
  request: OutboundRequest,
  signal: AbortSignal,
): Promise<OutboundResponse> {
  let url = parseTarget(request.url, settings)
  let response = await exchange(agent, url, { ...request, signal })
  if (isRedirect(response)) {
    url = nextTarget(url, request, response, settings)
    response = await exchange(agent, url, { ...request, signal })
    if (isRedirect(response)) throw refuseRedirect(url, response)
  }
  const body = await collect(response, settings.maxResponseBytes, authorityOf(url))
  return { ...headOf(response, url), body }
}

async function fetchStream(
  agent: Agent,
  settings: Settings,
  request: OutboundStreamRequest,
): Promise<OutboundStreamResponse> {
  const url = parseTarget(request.url, settings)
  const response = await exchange(agent, url, request)
  if (isRedirect(response)) throw refuseRedirect(url, response)
  return { ...headOf(response, url), body: response.body }
}

const headOf = ({ statusCode, headers }: Dispatcher.ResponseData, url: URL) => ({
  status: statusCode,
  headers: responseHeaders(headers),
  url: url.href,
})

async function exchange(
  agent: Agent,
  url: URL,
  { method, headers = {}, body, signal }: OutboundStreamRequest,
): Promise<Dispatcher.ResponseData> {
  const host = authorityOf(url)
  // CONNECT would make a tunnel of a request.
  if (!/^[A-Z]{1,20}$/.test(method) || method === 'CONNECT') {
    throw new OutboundError('bad_request', host)
  }
  const response = await agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers: requestHeaders(headers, host),
    body: body ?? null,
    signal: signal ?? null,
  })
  refuseCoding(response, host)
  return response
}
