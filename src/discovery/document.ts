import type { DiscoveryDocument } from './wire.ts'

/** What the document is made from. */
export interface DiscoveryFacts {
  /** Our origin, without a trailing slash. */
  readonly publicUrl: string
  readonly provider: string
  /** For peers that know only draft-cavage signatures (Nextcloud 31 to 34). */
  readonly publicKey?: { keyId: string; publicKeyPem: string } | undefined
  /** What we ask of peers. */
  readonly policy: {
    readonly allow: readonly string[]
    readonly deny: readonly string[]
    readonly requireInvite: boolean
    readonly requireSignatures: boolean
    readonly requireTokenExchange: boolean
  }
}

/** Where peers find what the document promises; `app.ts` serves exactly these. */
export const endpointPaths = {
  endPoint: '/ocm',
  tokenEndPoint: '/ocm/token',
  jwksUri: '/.well-known/jwks.json',
  webdav: '/dav/ocm/',
} as const

/** The spec's own path first; the others are what older peers and probes ask for. */
export const discoveryPaths = [
  '/.well-known/ocm',
  '/ocm-provider',
  '/ocm-provider/',
  '/ocm-provider/index.php',
  '/index.php/ocm-provider',
  '/index.php/ocm-provider/',
] as const

/** Nextcloud before 28 refuses any version that it does not know by heart. */
const crawler = 'Nextcloud Server Crawler'

/**
 * The discovery document (OCM, "Fields" of API Discovery): one for everybody, with an older
 * `apiVersion` for one crawler. It promises only what this server does.
 */
export function writeDiscovery(
  { publicUrl, provider, policy, publicKey }: DiscoveryFacts,
  userAgent: string | undefined,
): DiscoveryDocument {
  const protocols = {
    webdav: endpointPaths.webdav,
    'webdav-receive': { uri: 'relative' as const },
  }
  const types = ['file', 'folder'] as const
  const demands = [
    policy.requireSignatures && 'must-use-http-sig',
    policy.requireTokenExchange && 'must-exchange-token',
    policy.requireInvite && 'must-invite',
    policy.allow.length > 0 && 'allowlist',
    policy.deny.length > 0 && 'denylist',
  ] as const
  return {
    enabled: true,
    apiVersion: userAgent === crawler ? '1.1' : '1.4.0',
    // Nextcloud's storage probe takes only documents with a non-empty `version`.
    version: '1.1.2',
    provider,
    endPoint: publicUrl + endpointPaths.endPoint,
    // Peers look a share's resourceType up here before they accept it.
    resourceTypes: types.map((name) => ({ name, shareTypes: ['user'], protocols })),
    capabilities: ['exchange-token', 'http-sig', 'invites', 'notifications', 'protocol-object'],
    criteria: demands.filter((demand) => demand !== false),
    tokenEndPoint: publicUrl + endpointPaths.tokenEndPoint,
    jwksUri: publicUrl + endpointPaths.jwksUri,
    ...(publicKey && { publicKey }),
  }
}
