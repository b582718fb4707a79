import type { Readable } from 'node:stream'
import type { Logger } from '../../core/index.ts'
import type { HostLookup } from './connector.ts'
import type { Pour } from './pour.ts'

/** Limits and seams of the way out; the defaults are what production uses. */
export interface GuardedClientOptions {
  readonly log: Logger
  /** Everything from the first look-up to the last byte; default 10 s. */
  readonly timeoutMs?: number
  /** Name look-up, TCP and TLS; default 2 s. */
  readonly connectTimeoutMs?: number
  /** Default 1 MiB. */
  readonly maxResponseBytes?: number
  /** Development only. */
  readonly allowPrivateNetworks?: boolean
  /** Development only. */
  readonly allowHttp?: boolean
  /** Further requests wait, under their deadline; default 10. */
  readonly maxConnectionsPerHost?: number
  /** The same for files that come and go, which take their time; default 32. */
  readonly maxTransfersPerHost?: number
  /** How long a streamed answer may wait for whoever reads it; default two and a half minutes. */
  readonly readerPatienceMs?: number
  /** Test seam: the addresses of a name. They are judged like any other. */
  readonly lookup?: HostLookup | undefined
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: string | undefined
}

/** What every outgoing request has. */
export interface OutboundHead {
  readonly method: string
  readonly url: string | URL
  readonly headers?: Readonly<Record<string, string>>
}

/** A request small enough to hold in memory. */
export interface OutboundRequest extends OutboundHead {
  readonly body?: Uint8Array | string | undefined
  /** At most one, to the same origin, and never with a body or a credential. */
  readonly followRedirects?: boolean
}

/** A request with a file in it, or in its answer. */
export interface OutboundStreamRequest extends OutboundHead {
  readonly body?: Uint8Array | string | Readable | undefined
  readonly signal?: AbortSignal | undefined
  /** Nobody else needs the parts of a streamed body: they are freed as soon as they are sent. */
  readonly disposable?: boolean
  /** It may be long until there is an answer: it is waited for as for that to an upload. */
  readonly isSlow?: boolean
}

/** A whole answer, whatever its status. */
export interface OutboundResponse {
  readonly status: number
  /** Lower-case names; repeated fields joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Where the answer came from, after a redirect. */
  readonly url: string
}

/** The head of an answer, with its body still to come. */
export interface OutboundStreamResponse extends Omit<OutboundResponse, 'body'> {
  /** Unbounded: read it to its end or destroy it. */
  readonly body: Readable
  /**
   * For large bodies the cheaper way to have all of it, instead of reading: parts come as fast as they
   * are taken, several at a time, and their buffers are used again once they are. It fails when the
   * body breaks off; destroying the body ends it.
   */
  readonly pour?: Pour
}

/** The only way out to the network. */
export interface GuardedClient {
  /** One small exchange under the total deadline. @throws OutboundError */
  request(request: OutboundRequest): Promise<OutboundResponse>
  /**
   * One exchange with files in it: no size limit and no total deadline, but `timeoutMs` of silence
   * ends it (six times that for a stream that is not taken, and for what is slow).
   *
   * @throws OutboundError (until the answer's head is here; the body then fails by itself)
   */
  stream(request: OutboundStreamRequest): Promise<OutboundStreamResponse>
  /** Ends every connection; running requests fail with `client_closed`. */
  close(): Promise<void>
}
