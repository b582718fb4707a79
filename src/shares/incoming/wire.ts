import { z } from 'zod'
import { fieldIssues, ValidationError } from '../../http/index.ts'
import { parseOcmAddress, type OcmAddress } from '../../peers/index.ts'
import { badMember } from './errors.ts'

const required = (maxLength: number) =>
  z
    .string({ error: ({ input }) => (input === undefined ? 'is required' : 'must be text') })
    .min(1, 'is required')
    .max(maxLength, `is longer than ${maxLength} characters`)

/** What only people read is never a reason to refuse. */
const shown = z.string().nullish().catch(undefined)

const maybe = (maxLength: number) => z.string().max(maxLength).nullish()

const list = z.array(z.unknown()).max(100).nullish()

/** `protocol.webdav`; `url` and `URI` are older spellings of `uri`. */
const webdavSchema = z.looseObject({
  uri: maybe(2048),
  url: maybe(2048),
  URI: maybe(2048),
  sharedSecret: maybe(4096),
  permissions: list,
  requirements: list,
  accessTypes: list,
})

/** What Nextcloud puts here; PHP writes an empty object as `[]`. */
const optionsSchema = z.looseObject({ sharedSecret: maybe(4096), requirements: list })

/** OCM, "Fields" of the Share Creation Notification, in every spelling that peers use. */
export const offerSchema = z.looseObject({
  shareWith: required(1024),
  name: required(16_384),
  providerId: z.union([z.int().transform(String), required(255)], {
    error: ({ input }) => (input === undefined ? 'is required' : 'must be a short text'),
  }),
  owner: required(1024),
  sender: required(1024),
  ownerDisplayName: shown,
  senderDisplayName: shown,
  shareType: required(64),
  resourceType: required(64),
  expiration: z.union([z.number(), z.string().regex(/^\d{1,16}$/)]).nullish(),
  code: maybe(4096),
  protocol: z.looseObject({
    name: required(64),
    webdav: webdavSchema.nullish(),
    options: z.union([optionsSchema, z.array(z.unknown())]).nullish(),
  }),
})

export type OfferWire = z.output<typeof offerSchema>
export type ProtocolWire = OfferWire['protocol']

/** Nextcloud until 30 knows `sharedBy` only. */
function respelt(document: unknown): Record<string, unknown> {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new ValidationError('The body must be a JSON object', [])
  }
  const { sharedBy, sharedByDisplayName, ...offer } = document as Record<string, unknown>
  return {
    ...offer,
    sender: offer['sender'] ?? sharedBy,
    senderDisplayName: offer['senderDisplayName'] ?? sharedByDisplayName,
  }
}

/** @throws ValidationError naming the members that are missing or malformed. */
export function readOffer(document: unknown): OfferWire {
  const parsed = offerSchema.safeParse(respelt(document))
  if (parsed.success) return parsed.data
  const issues = fieldIssues(parsed.error.issues)
  const names = [...new Set(issues.map(({ name }) => name))].join(', ')
  throw new ValidationError(`Missing or malformed: ${names}`, issues)
}

/** @throws ValidationError. */
export function readAddress(name: string, text: string): OcmAddress {
  try {
    return parseOcmAddress(text)
  } catch {
    throw badMember(name, 'must be an OCM address, user@host')
  }
}

/**
 * The sender and the owner, before anything else is believed: they decide whose key is asked for.
 *
 * @throws ValidationError.
 */
export function readParties(document: unknown): { sender: OcmAddress; owner: OcmAddress } {
  const { sender, owner } = respelt(document)
  // Tells of everything that is missing, not only of these two.
  if (typeof sender !== 'string' || typeof owner !== 'string') {
    const offer = readOffer(document)
    return { sender: readAddress('sender', offer.sender), owner: readAddress('owner', offer.owner) }
  }
  return { sender: readAddress('sender', sender), owner: readAddress('owner', owner) }
}

/** OCM, "Response" of the Share Creation Notification. */
export const receiptSchema = z
  .strictObject({ recipientDisplayName: z.string(), recipientUserId: z.string() })
  .readonly()

export type Receipt = z.output<typeof receiptSchema>
