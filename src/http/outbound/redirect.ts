import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { authorityOf } from '../../core/index.ts'
import type { OutboundRequest } from './contract.ts'
import { OutboundError } from './errors.ts'
import { hasCredentials } from './headers.ts'
import { parseTarget, type OutboundPolicy } from './target.ts'

type Response = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'> & {
  readonly body: Readable
}

const statuses = new Set([301, 302, 303, 307, 308])

export const isRedirect = ({ statusCode }: Response): boolean => statuses.has(statusCode)

/** Nobody will read the body, so its socket goes too. */
export function refuseRedirect(from: URL, { statusCode, body }: Response): OutboundError {
  body.on('error', () => undefined).destroy()
  return new OutboundError('redirect_refused', authorityOf(from), {
    detail: { status: statusCode },
  })
}

/**
 * Where a redirect leads, judged like any target. A signature covers its target and a credential is
 * meant for one server, so what carries either is never sent twice (robustness H4).
 *
 * @throws OutboundError `redirect_refused`, `bad_url`, `blocked_address`
 */
export function nextTarget(
  from: URL,
  request: OutboundRequest,
  response: Response,
  policy: OutboundPolicy,
): URL {
  const refused = refuseRedirect(from, response)
  const location = response.headers['location']
  const repeatable =
    request.followRedirects === true &&
    (request.method === 'GET' || request.method === 'HEAD') &&
    request.body === undefined &&
    !hasCredentials(request.headers ?? {})
  if (!repeatable || typeof location !== 'string' || !URL.canParse(location, from.href))
    throw refused
  const to = new URL(location, from)
  if (to.origin !== from.origin) throw refused
  return parseTarget(to, policy)
}
