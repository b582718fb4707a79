import { Readable } from 'node:stream'
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
import { createLines } from './lines.ts'
import { watched, watchSilence } from './silence.ts'
import { parseTarget } from './target.ts'
import { transfer, type Transfer } from './transfer.ts'

const defaults = {
  timeoutMs: 10_000,
  connectTimeoutMs: 2_000,
  maxResponseBytes: 1024 * 1024,
  allowPrivateNetworks: false,
  allowHttp: false,
  maxConnectionsPerHost: 10,
  maxTransfersPerHost: 32,
  readerPatienceMs: 150_000,
}

type Settings = typeof defaults & GuardedClientOptions

/** A client that reaches public https servers only, with every answer bounded in size and time. */
export function createGuardedClient(options: GuardedClientOptions): GuardedClient {
  const settings: Settings = { ...defaults, ...options }
  const agent = createAgent(settings, settings.maxConnectionsPerHost)
  // Files have connections of their own: what takes hours must not be in the way of what is quick.
  const files = createAgent(settings, settings.maxTransfersPerHost)
  const listings = createAgent(settings, settings.maxTransfersPerHost)
  const poolFor = ({ method }: OutboundStreamRequest): Agent =>
    method === 'GET' || method === 'PUT' ? files : listings
  return {
    request: (request) =>
      report(settings.log, request, () =>
        withDeadline(request, settings.timeoutMs, (signal) =>
          fetchWhole(agent, settings, request, signal),
        ),
      ),
    stream: (request) =>
      report(settings.log, request, () => fetchStream(poolFor(request), settings, request)),
    close: async () => {
      await Promise.all([agent, files, listings].map((one) => one.destroy()))
    },
  }
}

const createAgent = (settings: Settings, connections: number): Agent =>
  new Agent({
    connect: createConnector(settings),
    factory: createLines,
    connections,
    pipelining: 1,
    maxHeaderSize: 16 * 1024,
    // It would end uploads to whoever reads slowly: the clocks in call.ts and silence.ts know better.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveMaxTimeout: 30_000,
  })

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

/** A kernel takes megabytes at once and says so only when much of it is gone. */
const longPatience = 6

async function fetchStream(
  agent: Agent,
  settings: Settings,
  request: OutboundStreamRequest,
): Promise<OutboundStreamResponse> {
  const url = parseTarget(request.url, settings)
  const host = authorityOf(url)
  const { body, signal, disposable = false, isSlow = false } = request
  const isUpload = body instanceof Readable
  const tooLate = (timeoutMs: number) => () =>
    new OutboundError('timeout', host, { detail: { timeoutMs } })
  const takingMs = settings.timeoutMs * (isUpload || isSlow ? longPatience : 1)
  const taking = watchSilence(takingMs, tooLate(takingMs))
  // Whoever reads no further must not keep others from this host for ever.
  const giving = watchSilence(settings.timeoutMs, tooLate(settings.timeoutMs), {
    limitMs: settings.readerPatienceMs,
    reason: () => new OutboundError('reader_stalled', host),
  })
  const signals = [taking.signal, giving.signal, ...(signal ? [signal] : [])]
  taking.wait()
  try {
    const options = {
      ...dispatchOptions(url, request),
      // undici takes any iterable, and asks for the next part when the socket has taken the last;
      // its types do not say so.
      body: isUpload ? (watched(body, taking, disposable) as unknown as Readable) : (body ?? null),
    }
    const watch = { signal: AbortSignal.any(signals), host, silence: giving }
    const response = await transfer(agent, options, watch)
    refuseCoding(response, host)
    if (isRedirect(response)) throw refuseRedirect(url, response)
    const { pour } = response
    return { ...headOf(response, url), body: response.body, ...(pour && { pour }) }
  } finally {
    taking.end()
  }
}

const headOf = ({ statusCode, headers }: Pick<Transfer, 'statusCode' | 'headers'>, url: URL) => ({
  status: statusCode,
  headers: responseHeaders(headers),
  url: url.href,
})

async function exchange(
  agent: Agent,
  url: URL,
  request: OutboundStreamRequest,
): Promise<Dispatcher.ResponseData> {
  const { body, signal } = request
  const options = dispatchOptions(url, request)
  const response = await agent.request({ ...options, body: body ?? null, signal: signal ?? null })
  refuseCoding(response, authorityOf(url))
  return response
}

function dispatchOptions(url: URL, { method, headers = {} }: OutboundStreamRequest) {
  const host = authorityOf(url)
  // CONNECT would make a tunnel of a request.
  if (!/^[A-Z]{1,20}$/.test(method) || method === 'CONNECT') {
    throw new OutboundError('bad_request', host)
  }
  return {
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers: requestHeaders(headers, host),
  }
}
