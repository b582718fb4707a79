import { isIP, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** RFC 4291 §2.4, IANA: the only unicast space that is handed out. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/** RFC 6052 §2.1: an IPv4 address in IPv6 clothes, so the IPv4 address decides. */
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')

/** Special ranges inside 2000::/3 by the IANA registry, said here so that no library change opens one. */
const specialIPv6 = [
  '2001::/23', // RFC 2928 protocol assignments: Teredo, benchmarking, ORCHID, AMT, AS112, drone ids
  '2001:db8::/32', // RFC 3849 documentation
  '2002::/16', // RFC 3056 6to4
  '2620:4f:8000::/48', // RFC 7534 AS112
  '3fff::/20', // RFC 9637 documentation
].map((range) => ipaddr.IPv6.parseCIDR(range))

/**
 * Whether an address, in canonical spelling, belongs to the public Internet. Everything in an IANA
 * special-purpose registry is not, nor is anything that does not parse.
 */
export function isPublicAddress(text: string): boolean {
  if (isIP(text) === 0 || text.includes('%')) return false
  return isIPv6(text)
    ? isPublicIPv6(ipaddr.IPv6.parse(text))
    : isPublicIPv4(ipaddr.IPv4.parse(text))
}

const isPublicIPv4 = (address: ipaddr.IPv4): boolean => address.range() === 'unicast'

function isPublicIPv6(address: ipaddr.IPv6): boolean {
  if (address.match(nat64)) return isPublicIPv4(new ipaddr.IPv4(address.toByteArray().slice(12)))
  return (
    address.match(globalUnicast) &&
    address.range() === 'unicast' &&
    !specialIPv6.some((range) => address.match(range))
  )
}

/** Whether two spellings mean one address; anything that does not parse equals nothing. */
export const isSameAddress = (one: string, other: string): boolean =>
  isIP(one) !== 0 &&
  isIP(other) !== 0 &&
  ipaddr.parse(one).toNormalizedString() === ipaddr.parse(other).toNormalizedString()
