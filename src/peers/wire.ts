import { z } from 'zod'

const text = z.string().max(2048)
const texts = z.array(z.unknown()).max(1000).catch([])

/** OCM discovery as peers write it (OCM, "Fields" of API Discovery; old spellings beside new). */
export const discoverySchema = z.looseObject({
  enabled: z.boolean().default(true),
  apiVersion: text.optional(),
  version: text.optional().catch(undefined),
  endPoint: text.optional(),
  endpoint: text.optional(),
  provider: text.optional().catch(undefined),
  resourceTypes: z
    .array(
      z.looseObject({
        name: text,
        shareTypes: texts.default([]),
        protocols: z.record(z.string(), z.unknown()).default({}),
      }),
    )
    .max(100)
    .default([]),
  capabilities: texts.default([]),
  criteria: texts.default([]),
  tokenEndPoint: text.optional(),
  tokenEndpoint: text.optional(),
  jwksUri: text.optional(),
  inviteAcceptDialog: text.optional(),
  publicKey: z
    .union([
      z
        .string()
        .max(16_384)
        .transform((pem) => ({ keyId: undefined, publicKeyPem: pem })),
      z.looseObject({ keyId: text.optional(), publicKeyPem: z.string().max(16_384).optional() }),
    ])
    .nullish()
    .catch(undefined),
})

export type DiscoveryWire = z.output<typeof discoverySchema>
