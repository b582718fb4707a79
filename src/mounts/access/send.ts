import { Readable } from 'node:stream'
import { OutboundError, type OutboundStreamResponse } from '../../http/index.ts'
import type { RemoteRequest } from '../remote-call.ts'
import type { Deadline } from './deadline.ts'
import type { AccessDeps } from './deps.ts'
import { urlBelow } from './place.ts'
import { unreachable } from './problems.ts'

/** A stream is sent as it comes, and so only once. */
export const isStream = ({ body }: RemoteRequest): boolean => body instanceof Readable

/** RFC 4918 §9.6.1, §9.8.3, §9.9.2: what may be done to a whole tree before there is an answer. */
const slowMethods: ReadonlySet<string> = new Set(['COPY', 'DELETE', 'MOVE'])

/** Whether the answer is that of a server in order, whatever it thinks of the request. */
const isWell = ({ status }: OutboundStreamResponse): boolean =>
  status < 500 || status === 501 || status === 507

/** Sends one request to where the share lives, through the breaker of that host. */
export async function send(
  { client, peers }: AccessDeps,
  host: string,
  root: URL,
  request: RemoteRequest,
  authorization: string,
  deadline: Deadline,
): Promise<OutboundStreamResponse> {
  const { method, path, isCollection = false, destination, headers, body, disposable } = request
  const isSlow = slowMethods.has(method)
  // They take what they take; the client watches over silence.
  if (isSlow || isStream(request)) deadline.lift()
  const outgoing = {
    method,
    url: urlBelow(root, path, isCollection),
    headers: {
      ...headers,
      ...(destination && { destination: urlBelow(root, destination, isCollection) }),
      authorization,
    },
    body,
    signal: deadline.signal,
    isSlow,
    ...(disposable && { disposable }),
  }
  return peers.call(
    host,
    () =>
      client.stream(outgoing).catch((error: unknown) => {
        throw brokenOff(body, error) ?? (isSlow ? stillAtWork(host, error) : undefined) ?? error
      }),
    isWell,
  )
}

/** Who has much to do may be well; who could not even be connected to has not begun. */
function stillAtWork(host: string, error: unknown): Error | undefined {
  if (!(error instanceof OutboundError) || error.code !== 'timeout') return undefined
  return error.detail?.['phase'] === 'connect' ? undefined : unreachable(host, undefined, error)
}

/** An upload that its own sender broke off is no failure of the peer. */
function brokenOff(body: RemoteRequest['body'], error: unknown): Error | undefined {
  if (!(body instanceof Readable) || body.errored === null) return undefined
  const isItsOwn = error instanceof Error && error.cause === body.errored
  return isItsOwn && !('syscall' in body.errored) ? body.errored : undefined
}

const maxDrained = 64 * 1024

/** Makes the connection free again, if that costs little. */
export async function drain({ body }: OutboundStreamResponse): Promise<void> {
  let size = 0
  try {
    for await (const chunk of body) {
      size += (chunk as Buffer).length
      if (size > maxDrained) return
    }
  } catch {
    // It was not wanted anyway.
  }
}

export const discard = ({ body }: OutboundStreamResponse): void =>
  void body.on('error', () => undefined).destroy()
