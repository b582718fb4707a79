import { AppError } from '../../core/index.ts'
import { OutboundError, type OutboundErrorCode } from '../../http/index.ts'
import { MountError } from '../errors.ts'

/** What is said when nobody knows better, and the longest a sender may keep our user waiting. */
const usualRetrySeconds = 30
const longestRetrySeconds = 3600

/** In words for whoever opens the share; never in a peer's own. */
export const problems = {
  ended: 'This share has ended.',
  expired: 'This share has expired. Ask for it to be shared again.',
  revoked: (host: string) =>
    `${host} no longer accepts this share: it was taken back or made anew there. Ask for it to be shared again, or remove it.`,
  refused: (host: string) =>
    `${host} does not let us in with what it gave us for this share. It is tried again by itself; if it lasts, ask for it to be shared again.`,
  notExchanged: (host: string) =>
    `${host} gives us no access token for this share. It is tried again by itself; if it lasts, somebody has to look at it there or here.`,
  missing: (host: string) => `${host} lets us in, but what was shared is not there.`,
  away: (host: string) =>
    `${host} cannot be reached. It is tried again by itself; what it shares is not to be had until then.`,
  failing: (host: string) =>
    `${host} did not answer as it should when it was last asked. It is tried again by itself.`,
  denied: (host: string) => `This server does not work with ${host}.`,
} as const

/** What a look says that let us in and still found nothing to list. */
export function problemOf(status: number, host: string): string {
  if (status === 404 || status === 410) return problems.missing(host)
  const isPassing = status === 408 || status === 429 || status >= 500
  return isPassing ? problems.away(host) : problems.refused(host)
}

export const closed = (message: string, cause?: unknown): MountError =>
  new MountError('share_closed', message, { cause })

export const unreachable = (
  host: string,
  seconds: number = usualRetrySeconds,
  cause?: unknown,
): MountError =>
  new MountError('sender_unreachable', `${host} cannot be reached now; try again later.`, {
    retryAfterSeconds: Math.min(Math.max(seconds, 1), longestRetrySeconds),
    cause,
  })

export const garbled = (host: string, cause?: unknown): MountError =>
  new MountError('sender_garbled', `${host} answered in a way that makes no sense.`, { cause })

/** It answered, though not as a WebDAV server does. */
const nonsense: ReadonlySet<OutboundErrorCode> = new Set([
  'bad_url',
  'bad_request',
  'bad_response',
  'too_large',
  'redirect_refused',
  'encoding_refused',
])

/** Why a sender could not be asked, in our words; surprises stay what they are. */
export function toMountError(error: unknown, host: string): unknown {
  if (error instanceof MountError || !(error instanceof AppError)) return error
  if (error instanceof OutboundError) {
    if (error.code === 'client_closed') return error
    return nonsense.has(error.code) ? garbled(host, error) : unreachable(host, undefined, error)
  }
  switch (error.code) {
    case 'peer_denied':
      return closed(problems.denied(host), error)
    case 'peer_unusable':
      return garbled(host, error)
    case 'peer_resting':
    case 'peer_unreachable':
      return unreachable(host, error.retryAfterSeconds, error)
    default:
      return error
  }
}
