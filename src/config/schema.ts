import ipaddr from 'ipaddr.js'
import { z } from 'zod'
import { parseAuthority } from '../core/index.ts'
import { limitsSchema } from './limits.ts'

const seconds = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum)
const bytes = (maximum: number) => z.int().min(1).max(maximum)
const kib = 1024
const mib = 1024 * kib
const gib = 1024 * mib

const host = z.string().min(1)
const port = z.int().min(0).max(65_535)

/** `example.org`, `example.org:8443`, or `*.example.org` for every host below. */
const peerHosts = z
  .array(
    z.string().refine((text) => parseAuthority(text.replace(/^\*\./, '')) !== undefined, {
      error: 'must be a host such as cloud.example.org, or *.example.org',
    }),
  )
  .default([])

const proxyAddress = z.string().refine((text) => ipaddr.isValid(text) || ipaddr.isValidCIDR(text), {
  error: 'must be an address such as 192.0.2.1, or a range such as 10.0.0.0/8',
})

export const authPluginNames = [
  'bearer-access-token',
  'basic-app-password',
  'shared-secret',
] as const

/** `config.json`. Defaults live here and nowhere else; every leaf says what it means. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().meta({ description: 'Path of the JSON Schema, for editors.' }),
    publicUrl: z.string().optional().meta({
      description:
        'The one origin peers and clients reach this server at, https://host[:port] without a path. Signatures, tokens and links use it and nothing else. Default: http://localhost:<listen.port>.',
    }),
    provider: z
      .string()
      .min(1)
      .max(100)
      .default('davmesh')
      .meta({ description: 'The name shown to peers in discovery.' }),
    listen: z
      .strictObject({
        host: host.default('127.0.0.1').meta({ description: 'Address to bind.' }),
        port: port.default(8080).meta({ description: 'TCP port; 0 picks a free one.' }),
        tls: z
          .strictObject({
            certFile: z.string().meta({ description: 'PEM certificate chain.' }),
            keyFile: z.string().meta({ description: 'PEM private key.' }),
          })
          .optional()
          .meta({ description: 'Serve https itself instead of behind a proxy.' }),
      })
      .prefault({}),
    dataDir: z
      .string()
      .default('./data')
      .meta({ description: 'Holds davmesh.sqlite, secret.key and files/.' }),
    secretKeyFile: z.string().optional().meta({
      description:
        'The key that seals secrets in the database, 32 bytes as base64url. Default: secret.key in dataDir.',
    }),
    dev: z
      .boolean()
      .default(false)
      .meta({ description: 'Allows plain-http peers and private addresses. Never in production.' }),
    workers: z
      .union([z.int().min(1).max(256), z.literal('auto')], {
        error: 'must be a number of processes or "auto"',
      })
      .default(1)
      .meta({
        description:
          'Processes that share the listener and the data; "auto" starts one for each processor. The library is always one.',
      }),
    trustProxy: z
      .union([z.literal(false), z.array(proxyAddress)], {
        error: 'must be false or an array of addresses such as 192.0.2.1 or 10.0.0.0/8',
      })
      .default(false)
      .meta({
        description:
          'Proxy addresses (or CIDR ranges) whose X-Forwarded-For is believed, for limits and logs only.',
      }),
    files: z
      .strictObject({
        root: z
          .string()
          .optional()
          .meta({ description: 'Parent of the home folders. Default: files/ in dataDir.' }),
        followSymlinks: z
          .literal(false)
          .default(false)
          .meta({ description: 'Symbolic links are never followed.' }),
        durability: z
          .enum(['full', 'normal'])
          .default('full')
          .meta({ description: '"full" survives power loss, "normal" a killed process.' }),
        medium: z.enum(['auto', 'local', 'network']).default('auto').meta({
          description:
            'What holds the files. On a "local" disk, small files and listings are kept for a moment and looked at in place; with "network" nothing is kept. "auto" asks the system.',
        }),
        sharedFolder: z
          .string()
          .min(1)
          .max(100)
          .normalize('NFC')
          .regex(/^[^/\\]+$/, 'must be a folder name without a slash')
          .regex(
            /^(?!\.{1,2}$)(?!\.davmesh-)[^\p{Cc}]+$/iu,
            'must be a name that a folder can have, and not one of our own',
          )
          .default('Shared')
          .meta({
            description: 'The folder that holds what others share with a user..',
          }),
      })
      .prefault({}),
    tokens: z
      .strictObject({
        ttlSeconds: seconds(300, 86_400)
          .default(3600)
          .meta({ description: 'Lifetime of an access token.' }),
      })
      .prefault({}),
    signatures: z
      .strictObject({
        maxAgeSeconds: seconds(1, 3600)
          .default(300)
          .meta({ description: 'Oldest accepted signature.' }),
        maxSkewSeconds: seconds(0, 600)
          .default(60)
          .meta({ description: 'How far a peer’s clock may run ahead.' }),
        legacy: z.boolean().default(true).meta({
          description:
            'Speak older signatures too: draft-05 (label "ocm", date covered) and draft-cavage (RSA, Nextcloud 31 to 34).',
        }),
      })
      .prefault({}),
    federation: z
      .strictObject({
        allow: peerHosts.meta({ description: 'If not empty, only these hosts are peers.' }),
        deny: peerHosts.meta({ description: 'Hosts that are never peers.' }),
        requireInvite: z
          .boolean()
          .default(false)
          .meta({ description: 'Accept shares from contacts only.' }),
        requireSignatures: z
          .boolean()
          .default(false)
          .meta({ description: 'Refuse unsigned requests from every peer.' }),
        requireTokenExchange: z
          .boolean()
          .default(false)
          .meta({ description: 'Accept and give only shares that exchange tokens.' }),
        autoAccept: peerHosts.meta({ description: 'Hosts whose shares need no accepting.' }),
        reshare: z
          .boolean()
          .default(false)
          .meta({ description: 'Recipients with the share permission may pass shares on.' }),
      })
      .prefault({}),
    outbound: z
      .strictObject({
        timeoutMs: z
          .int()
          .min(100)
          .max(120_000)
          .default(10_000)
          .meta({ description: 'Deadline of one request to a peer, body included.' }),
        maxResponseBytes: bytes(64 * mib)
          .default(mib)
          .meta({ description: 'Largest answer read from a peer.' }),
        allowPrivateNetworks: z
          .boolean()
          .default(false)
          .meta({ description: 'Let peers live on private addresses.' }),
      })
      .prefault({}),
    auth: z
      .strictObject({
        plugins: z
          .array(z.enum(authPluginNames))
          .min(1)
          .default([...authPluginNames])
          .meta({ description: 'Credential checks, in order.' }),
      })
      .prefault({}),
    webdav: z
      .strictObject({
        maxXmlBytes: bytes(16 * mib)
          .default(256 * kib)
          .meta({ description: 'Largest XML body.' }),
        maxUploadBytes: bytes(1024 * 1024 * gib)
          .default(64 * gib)
          .meta({ description: 'Largest upload.' }),
        infiniteDepth: z.boolean().default(false).meta({
          description:
            'Answer PROPFIND with Depth: infinity, which is everything below a folder; else it is refused.',
        }),
      })
      .prefault({}),
    limits: limitsSchema,
    admin: z
      .strictObject({
        listen: z.strictObject({ host: host.default('127.0.0.1'), port: port }),
      })
      .nullable()
      .default(null)
      .meta({ description: 'A second listener for health checks and metrics; null for none.' }),
    log: z
      .strictObject({
        level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info').meta({
          description: 'Least severe line written. A running server takes a change over.',
        }),
        format: z.enum(['json', 'pretty']).optional().meta({
          description:
            'One JSON object per line, or text for people. Default: text on a terminal, else JSON.',
        }),
      })
      .prefault({}),
  })
  .meta({ title: 'davmesh configuration' })

export type ConfigFile = z.output<typeof configSchema>
