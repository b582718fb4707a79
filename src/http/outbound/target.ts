import { isIP } from 'node:net'
import { authorityOf } from '../../core/index.ts'
import { isPublicAddress } from './addresses.ts'
import { OutboundError } from './errors.ts'

/** What an outbound call may reach. */
export interface OutboundPolicy {
  readonly allowPrivateNetworks: boolean
  readonly allowHttp: boolean
}

const maxUrlLength = 8 * 1024

/**
 * A URL we are willing to call. The URL parser turns every spelling of an IPv4 literal
 * (`2130706433`, `0x7f.1`) into the dotted one, so the check below sees what would be dialled.
 *
 * @throws OutboundError `bad_url`, `blocked_address`
 */
export function parseTarget(input: string | URL, policy: OutboundPolicy): URL {
  const text = String(input)
  const url = text.length <= maxUrlLength && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) throw new OutboundError('bad_url', '(unreadable)')
  const schemeAllowed = url.protocol === 'https:' || (policy.allowHttp && url.protocol === 'http:')
  if (!schemeAllowed || url.username !== '' || url.password !== '' || url.hostname === '') {
    throw new OutboundError('bad_url', authorityOf(url), { detail: { scheme: url.protocol } })
  }
  const literal = hostnameOf(url)
  // Connecting to a literal looks nothing up, so this is where literals are judged.
  if (isIP(literal) !== 0) refuseBlocked(literal, [literal], policy)
  return url
}

/** The host as sockets want it: IPv6 without brackets. */
export const hostnameOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1')

/**
 * Refuses unless every address is allowed: one private record among public ones is an attack or a
 * mistake, and which one would be dialled is chance.
 */
export function refuseBlocked(
  host: string,
  addresses: readonly string[],
  policy: OutboundPolicy,
): void {
  const blocked = addresses.find(
    (address) => isIP(address) === 0 || !(policy.allowPrivateNetworks || isPublicAddress(address)),
  )
  if (blocked !== undefined) {
    throw new OutboundError('blocked_address', host, { detail: { address: blocked } })
  }
}
