import { parseAuthority } from '../core/index.ts'

/** Whom we talk to at all, and what we ask of them; may change while the server runs. */
export interface FederationPolicy {
  /** If not empty, the only hosts that are peers. */
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  /** Shares come from contacts only. */
  readonly requireInvite: boolean
  readonly requireSignatures: boolean
  readonly requireTokenExchange: boolean
  /** Hosts whose shares need no accepting. */
  readonly autoAccept: readonly string[]
  /** Recipients with the share permission may pass shares on. */
  readonly reshare: boolean
}

/** The policy of the moment. Nobody keeps what `current` gave longer than for one request. */
export interface FederationPolicyHolder {
  current(): FederationPolicy
  replace(next: FederationPolicy): void
}

export function createFederationPolicy(initial: FederationPolicy): FederationPolicyHolder {
  let policy = initial
  return {
    current: () => policy,
    replace: (next) => void (policy = next),
  }
}

/** `example.org` stands for itself only; `*.example.org` for every host below it. */
function matches(rule: string, host: string): boolean {
  if (rule.startsWith('*.')) return host.endsWith(rule.slice(1).toLowerCase())
  return parseAuthority(rule) === host
}

/** Whether a list of hosts and `*.` rules names a host. */
export const isListed = (host: string, rules: readonly string[]): boolean =>
  rules.some((rule) => matches(rule, host))

/** `open`: nobody listed this host, and no list is needed. */
export type PeerTrust = 'allowed' | 'denied' | 'open'

/**
 * Deny beats allow, wherever it was said; a host missing from a non-empty allow list is denied.
 *
 * @param mark the operator's word (`davmesh peer allow|deny`), kept in the database.
 */
export function trustOf(
  host: string,
  { allow, deny }: Pick<FederationPolicy, 'allow' | 'deny'>,
  mark: 'allowed' | 'denied' | null,
): PeerTrust {
  if (mark === 'denied' || isListed(host, deny)) return 'denied'
  if (mark === 'allowed' || isListed(host, allow)) return 'allowed'
  return allow.length === 0 ? 'open' : 'denied'
}
