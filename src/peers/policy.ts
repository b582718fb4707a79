import { parseAuthority } from '../core/index.ts'
import { PeerError } from './errors.ts'

/** Whom we talk to at all. */
export interface PeerPolicy {
  /** If not empty, the only hosts that are peers. */
  readonly allow: readonly string[]
  readonly deny: readonly string[]
}

/** `example.org` stands for itself only; `*.example.org` for every host below it. */
function matches(rule: string, host: string): boolean {
  if (rule.startsWith('*.')) return host.endsWith(rule.slice(1).toLowerCase())
  return parseAuthority(rule) === host
}

/** Whether a host is on a list of the configuration. */
export const isListed = (host: string, rules: readonly string[]): boolean =>
  rules.some((rule) => matches(rule, host))

/** `open`: nobody listed this host, and no list is needed. */
export type PeerTrust = 'allowed' | 'denied' | 'open'

/** Deny beats allow; a host missing from a non-empty allow list is denied. */
export function trustOf(host: string, { allow, deny }: PeerPolicy): PeerTrust {
  if (isListed(host, deny)) return 'denied'
  if (isListed(host, allow)) return 'allowed'
  return allow.length === 0 ? 'open' : 'denied'
}

/** @throws PeerError `peer_denied`. */
export function checkAllowed(host: string, policy: PeerPolicy): void {
  if (trustOf(host, policy) !== 'denied') return
  throw new PeerError('peer_denied', `${host} is not a peer of this server.`)
}
