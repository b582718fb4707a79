import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'
import proxyAddress from 'proxy-addr'
import type { Config } from './config/index.ts'

/**
 * Whom a client counts as, for limits: its IPv4 address, or the /64 that one customer has all of.
 * X-Forwarded-For is believed from the named proxies only.
 */
export function createAddressOf(
  trusted: Config['trustProxy'],
): (request: IncomingMessage) => string {
  if (trusted === false) return (request) => networkOf(request.socket.remoteAddress)
  const trust = proxyAddress.compile([...trusted])
  return (request) => networkOf(proxyAddress(request, trust))
}

/** Whether a connection is a proxy's, which brings the requests of many. */
export function createIsProxy(trusted: Config['trustProxy']): (address: string) => boolean {
  if (trusted === false) return () => false
  const trust = proxyAddress.compile([...trusted])
  return (address) => trust(address, 0)
}

/** `2001:db8:1:2::/64` for every address in it; anything that is no address as it came. */
export function networkOf(address = ''): string {
  if (!address.includes(':') || !ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  const parts = (parsed as ipaddr.IPv6).parts.map((part, index) => (index < 4 ? part : 0))
  return `${new ipaddr.IPv6(parts).toString()}/64`
}
