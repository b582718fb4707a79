import { readFixture } from '../fixtures.ts'

export type DiscoveryDocument = Record<string, unknown>

/** Peers as the fixtures have them, or `plain`: whatever current OCM wants and nothing else. */
export type Flavour =
  | 'plain'
  | 'ocmgo'
  | 'reva'
  | 'reva-code-flow'
  | 'opencloud-2025-02'
  | 'opencloud-later'
  | 'nextcloud-newest'
  | 'nextcloud-label-era'
  | 'nextcloud-v32-cavage'
  | 'ocm-stub'

export function discoveryOf(flavour: Flavour, origin: string): DiscoveryDocument {
  if (flavour !== 'plain') {
    const text = JSON.stringify(readFixture(`discovery/${flavour}`))
    return JSON.parse(
      text.replaceAll(/https:\/\/[a-z0-9-]+\.example\.org/g, origin),
    ) as DiscoveryDocument
  }
  const protocols = { webdav: '/remote/', 'webdav-receive': { uri: 'absolute' } }
  return {
    enabled: true,
    apiVersion: '1.4.0',
    provider: 'independent peer',
    endPoint: `${origin}/ocm`,
    resourceTypes: ['file', 'folder'].map((name) => ({ name, shareTypes: ['user'], protocols })),
    capabilities: ['exchange-token', 'http-sig', 'protocol-object'],
    criteria: [],
    tokenEndPoint: `${origin}/ocm/token`,
    jwksUri: `${origin}/ocm/jwks`,
  }
}
