import { AppError, type ErrorKind } from '../../core/index.ts'

/** One text for three reasons: which it was would tell strangers about our network's names. */
const unreachable = 'cannot be reached'

const failures = {
  bad_url: ['invalid', 'is not an address we call'],
  bad_request: ['upstream', 'could not be sent a well-formed request'],
  blocked_address: ['upstream', unreachable],
  dns_failed: ['upstream', unreachable],
  connect_failed: ['upstream', unreachable],
  tls_failed: ['upstream', 'has no TLS connection we can trust'],
  timeout: ['upstream', 'did not answer in time'],
  reset: ['upstream', 'closed the connection early'],
  bad_response: ['upstream', 'did not answer in HTTP'],
  too_large: ['upstream', 'answered with too much'],
  redirect_refused: ['upstream', 'redirected a request that must not be'],
  encoding_refused: ['upstream', 'answered in a coding that was not asked for'],
  no_connection: ['unavailable', 'was not called because all our connections to it are in use'],
  reader_stalled: ['unavailable', 'was kept waiting by whoever reads its answer'],
  client_closed: ['unavailable', 'was not called because we are shutting down'],
} as const satisfies Record<string, readonly [ErrorKind, string]>

/** Why a call to another server failed. */
export type OutboundErrorCode = keyof typeof failures

/**
 * A call to another server that did not end in an answer. The message names the host that was asked
 * for and never the address behind it, so that it tells nothing about our network.
 */
export class OutboundError extends AppError<OutboundErrorCode> {
  constructor(
    code: OutboundErrorCode,
    host: string,
    extras: { cause?: unknown; detail?: Record<string, unknown> } = {},
  ) {
    const [kind, text] = failures[code]
    super(kind, code, `The server ${host} ${text}`, {
      cause: extras.cause,
      detail: { peer: host, ...extras.detail },
    })
  }
}

const byNodeCode: Readonly<Record<string, OutboundErrorCode>> = {
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'reset',
  UND_ERR_ABORTED: 'reset',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'too_large',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'too_large',
  UND_ERR_DESTROYED: 'client_closed',
  UND_ERR_CLOSED: 'client_closed',
  UND_ERR_INVALID_ARG: 'bad_request',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'bad_request',
}

/** What went wrong once the connection stood; before that the connector says so itself. */
export function asOutboundError(error: unknown, host: string): unknown {
  if (error instanceof OutboundError || typeof error !== 'object' || error === null) return error
  const code = 'code' in error ? String(error.code) : ''
  const known = byNodeCode[code] ?? byFamily(error, code)
  return known === undefined ? error : new OutboundError(known, host, { cause: error })
}

function byFamily(error: object, code: string): OutboundErrorCode | undefined {
  // undici gives some parser errors no code.
  if ('name' in error && error.name === 'HTTPParserError') return 'bad_response'
  if (/^ERR_(SSL|TLS)_/.test(code)) return 'tls_failed'
  // What the operating system says about a socket.
  return 'syscall' in error ? 'reset' : undefined
}
