import { z } from 'zod'

const seconds = (standard: number) => z.int().min(1).max(86_400).default(standard)
const count = (standard: number) => z.int().min(1).max(1_000_000_000).default(standard)
const mib = 1024 * 1024

/** `limits` of `config.json`: what one of many may take from the others. */
export const limitsSchema = z
  .strictObject({
    login: z
      .strictObject({
        failures: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(10)
          .meta({ description: 'Of one user name from one address.' }),
        addressFailures: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(100)
          .meta({ description: 'Of all user names from one address.' }),
        windowSeconds: seconds(300),
      })
      .prefault({})
      .meta({
        description:
          'Failed logins before 429, which lasts as long as the window, twice as long the next time within a day, and at most an hour.',
      }),
    token: z
      .strictObject({
        exchanges: count(6000).meta({ description: 'Of one share.' }),
        failures: count(600).meta({
          description: 'Refused token requests of one address, and of one peer.',
        }),
        windowSeconds: seconds(60),
      })
      .prefault({})
      .meta({ description: 'Token requests before 429. Each of several workers has its part.' }),
    messages: z
      .strictObject({
        perAddress: count(3000),
        perPeer: count(1200).meta({ description: 'Of a peer that has proven to be it.' }),
        windowSeconds: seconds(60),
      })
      .prefault({})
      .meta({
        description:
          'Shares, notifications and used invites before 429. Each of several workers has its part.',
      }),
    discovery: z
      .strictObject({ requests: count(12_000), windowSeconds: seconds(60) })
      .prefault({})
      .meta({
        description:
          'Requests of one address for discovery and keys before 429. Each of several workers has its part.',
      }),
    connections: z
      .strictObject({
        total: count(8192).meta({ description: 'Beyond it 503.' }),
        perAddress: count(1536).meta({
          description: 'Beyond it 429; proxies of trustProxy are not counted.',
        }),
      })
      .prefault({})
      .meta({
        description: 'Open connections of the main listener. Each of several workers has its part.',
      }),
    transfers: z
      .strictObject({
        idleSeconds: seconds(60).meta({ description: 'Silence that ends an upload (408).' }),
        minBytesPerSecond: z.int().min(0).max(1_000_000_000).default(1024).meta({
          description: 'Of an upload, on average over twice that time; slower ones end (408).',
        }),
        stalledSeconds: seconds(300).meta({
          description: 'How long a client may take nothing of its answer.',
        }),
        keepFreeBytes: z
          .int()
          .min(0)
          .max(Number.MAX_SAFE_INTEGER)
          .default(256 * mib)
          .meta({
            description:
              'Uploads leave so much of the disk free, or a twentieth of it if that is less (507).',
          }),
      })
      .prefault({})
      .meta({ description: 'Uploads and downloads that take their time.' }),
    drainSeconds: z.int().min(1).max(3600).default(30).meta({
      description: 'How long requests may go on after a stop was asked for, before they are cut.',
    }),
    stored: z
      .strictObject({
        outboxPerPeer: count(10_000).meta({ description: 'Messages that wait for one peer.' }),
        invitesPerUser: count(1000).meta({ description: 'Open invites.' }),
        pendingPerUser: count(1000).meta({ description: 'Received shares without an answer.' }),
        pendingPerPeer: count(10_000).meta({ description: 'The same of one sending server.' }),
        locks: count(100_000).meta({ description: 'Of all users.' }),
        propertiesPerTree: count(50_000).meta({ description: 'Dead properties of one user.' }),
        propertyBytesPerTree: count(64 * mib).meta({ description: 'All their values.' }),
      })
      .prefault({})
      .meta({ description: 'Rows that others can make the server keep.' }),
  })
  .prefault({})
