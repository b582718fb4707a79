import { z } from 'zod'

const url = (description: string) => z.string().meta({ description })

/** Our discovery document (OCM, "Fields" of API Discovery). */
export const discoverySchema = z.strictObject({
  enabled: z.literal(true),
  apiVersion: z
    .enum(['1.4.0', '1.1'])
    .meta({ description: '1.1 for the user agent `Nextcloud Server Crawler`' }),
  version: z.string().meta({ description: "For Nextcloud's storage probe" }),
  provider: z.string(),
  endPoint: url('Base of `/shares`, `/notifications` and `/invite-accepted`'),
  resourceTypes: z.array(
    z.strictObject({
      name: z.enum(['file', 'folder']),
      shareTypes: z.array(z.literal('user')),
      protocols: z.strictObject({
        webdav: z.string().meta({ description: 'Path of the WebDAV root' }),
        'webdav-receive': z.strictObject({ uri: z.literal('relative') }),
      }),
    }),
  ),
  capabilities: z.array(
    z.enum(['exchange-token', 'http-sig', 'invites', 'notifications', 'protocol-object']),
  ),
  criteria: z
    .array(
      z.enum(['must-use-http-sig', 'must-exchange-token', 'must-invite', 'allowlist', 'denylist']),
    )
    .meta({ description: 'Follow `federation` of the configuration' }),
  tokenEndPoint: url('Where refresh tokens are exchanged'),
  jwksUri: url('Keys of our signatures and access tokens'),
  publicKey: z
    .strictObject({ keyId: z.string(), publicKeyPem: z.string() })
    .optional()
    .meta({ description: 'For draft-cavage signatures, while `signatures.legacy`' }),
})

export type DiscoveryDocument = z.output<typeof discoverySchema>

const jwkSchema = z.looseObject({
  kty: z.enum(['OKP', 'EC']),
  kid: z.string().meta({ description: 'The `keyid` of signatures and the `kid` of tokens' }),
  use: z.literal('sig'),
  alg: z.enum(['Ed25519', 'ES256']),
  crv: z.string(),
  x: z.string(),
  y: z.string().optional(),
})

/** RFC 7517 §5; public members only. */
export const jwkSetSchema = z.strictObject({ keys: z.array(jwkSchema) })
