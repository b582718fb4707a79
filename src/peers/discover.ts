import { AppError } from '../core/index.ts'
import {
  OutboundError,
  parseJson,
  type GuardedClient,
  type OutboundErrorCode,
} from '../http/index.ts'
import { parseDiscovery, type Discovery } from './discovery-document.ts'
import { PeerError } from './errors.ts'

/** What discovery found, and the document as it was. */
export interface FoundPeer {
  readonly url: string
  readonly document: unknown
  readonly discovery: Discovery
}

/** OCM, "Process" of API Discovery; the second path serves peers from before 1.4. */
const paths = ['/.well-known/ocm', '/ocm-provider']

/** Failures that another path of the same server cannot mend. */
const unreachable: ReadonlySet<OutboundErrorCode> = new Set([
  'connect_failed',
  'dns_failed',
  'tls_failed',
  'blocked_address',
  'timeout',
])

/**
 * Looks for the discovery document: https first, plain http only where it is allowed at all.
 *
 * @throws PeerError `peer_unreachable` or `peer_unusable` with the first failure that says most.
 */
export async function discoverPeer(
  client: GuardedClient,
  host: string,
  allowHttp: boolean,
): Promise<FoundPeer> {
  const failures: unknown[] = []
  for (const scheme of allowHttp ? ['https', 'http'] : ['https']) {
    for (const path of paths) {
      try {
        return await fetchDiscovery(client, host, new URL(`${scheme}://${host}${path}`))
      } catch (error) {
        failures.push(error)
        if (error instanceof OutboundError && unreachable.has(error.code)) break
      }
    }
  }
  const unusable = failures.find((error) => error instanceof PeerError)
  if (unusable !== undefined) throw unusable
  const cause = failures.at(-1)
  const reason = cause instanceof AppError ? cause.message : 'it answered with an error'
  throw new PeerError('peer_unreachable', `${host} could not be discovered: ${reason}`, { cause })
}

async function fetchDiscovery(client: GuardedClient, host: string, url: URL): Promise<FoundPeer> {
  const answer = await client.request({
    method: 'GET',
    url: url.href,
    headers: { accept: 'application/json' },
    followRedirects: true,
  })
  if (answer.status !== 200) {
    throw new AppError('upstream', 'bad_status', `${url.href} answered ${answer.status}.`)
  }
  const document = parseJson(answer.body)
  return { url: answer.url, document, discovery: parseDiscovery(document, host, url) }
}
