import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Config } from './config/index.ts'
import { createLimiter, type EventHub, type Limiter } from './core/index.ts'
import type { Pace } from './http/index.ts'

/** How often strangers and peers may ask; what is behind a credential is not limited here. */
export interface RequestLimits {
  readonly discovery: Limiter
  readonly messagesByAddress: Limiter
  readonly messagesByPeer: Limiter
  /** Only what was refused counts: a busy federation exchanges thousands of tokens a minute. */
  readonly tokenFailuresByAddress: Limiter
  readonly tokenFailuresByPeer: Limiter
}

/** What one of so many processes may let through of a bound that is for all of them. */
export const partOf = (bound: number, processes: number): number =>
  Math.max(1, Math.floor(bound / processes))

/** @param processes how many share the bounds. */
export function createRequestLimits(
  { discovery, messages, token }: Config['limits'],
  events: EventHub,
  processes: number,
): RequestLimits {
  const limiter = (name: string, by: 'address' | 'peer', bound: number, windowSeconds: number) =>
    createLimiter({
      ...{ name, by, events },
      budget: { count: partOf(bound, processes), windowSeconds },
    })
  const { windowSeconds } = token
  const window = messages.windowSeconds
  return {
    discovery: limiter('discovery', 'address', discovery.requests, discovery.windowSeconds),
    messagesByAddress: limiter('messages', 'address', messages.perAddress, window),
    messagesByPeer: limiter('messages', 'peer', messages.perPeer, window),
    tokenFailuresByAddress: limiter('token', 'address', token.failures, windowSeconds),
    tokenFailuresByPeer: limiter('token', 'peer', token.failures, windowSeconds),
  }
}

/** How slowly the content of a file may come. */
export const uploadPace = ({ transfers }: Config['limits']): Pace => ({
  idleMs: transfers.idleSeconds * 1000,
  minBytesPerSecond: transfers.minBytesPerSecond,
  windowMs: transfers.idleSeconds * 2000,
})

/** What a line of the route table may ask for. */
export type RouteLimit = 'discovery' | 'messages' | 'token'

/** Before anything of a request is read. @throws AppError of kind `too_many`. */
export type LimitCheck = (request: IncomingMessage, response: ServerResponse) => Promise<void>

export function createLimitChecks(
  limits: RequestLimits,
  addressOf: (request: IncomingMessage) => string,
): Record<RouteLimit, LimitCheck> {
  return {
    discovery: (request) => limits.discovery.spend(addressOf(request)),
    messages: (request) => limits.messagesByAddress.spend(addressOf(request)),
    async token(request, response) {
      const address = addressOf(request)
      await limits.tokenFailuresByAddress.check(address)
      response.once('finish', () => {
        const { statusCode } = response
        const isRefusal = statusCode >= 400 && statusCode < 500 && statusCode !== 429
        if (isRefusal) void limits.tokenFailuresByAddress.note(address)
      })
    },
  }
}
