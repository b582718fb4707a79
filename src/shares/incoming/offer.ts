import { createHash } from 'node:crypto'
import { isDeceptive, withoutDeception } from '../../core/index.ts'
import { formatOcmAddress } from '../../peers/index.ts'
import { isShareName } from '../resource.ts'
import { badMember, unsupported } from './errors.ts'
import { readProtocol } from './protocol.ts'
import type { OfferContext, ShareOffer } from './share-offer.ts'
import { readAddress, readOffer } from './wire.ts'

/** JavaScript's last instant, in seconds. */
const lastSecond = 8.64e12

/**
 * Reads an offer tolerantly and judges it strictly.
 *
 * @throws ValidationError for what is wrong; IncomingError `unsupported_offer` for what we cannot do.
 */
export function parseOffer(document: unknown, context: OfferContext): ShareOffer {
  const wire = readOffer(document)
  const sender = readAddress('sender', wire.sender)
  const owner = readAddress('owner', wire.owner)
  const recipient = readAddress('shareWith', wire.shareWith)
  if (!isShareName(wire.name)) throw badMember('name', 'must be usable as the name of a file')
  // An id is shown to people and written to logs.
  if (isDeceptive(wire.providerId)) {
    throw badMember('providerId', 'must not have control characters')
  }
  if (wire.shareType !== 'user') throw unsupported('This share type')
  const { resourceType } = wire
  if (resourceType !== 'file' && resourceType !== 'folder') throw unsupported('This resource type')
  return {
    providerId: wire.providerId,
    name: wire.name,
    resourceType,
    recipient,
    sender,
    owner,
    senderName: displayName(wire.senderDisplayName),
    ownerName: displayName(wire.ownerDisplayName),
    expiresAt: expiry(wire.expiration, context.now),
    ...readProtocol(wire.protocol, wire.code, sender.host, context),
  }
}

function displayName(text: string | null | undefined): string | null {
  const [clean = ''] = /^.{0,255}/su.exec(withoutDeception(text ?? '').trim()) ?? []
  return clean === '' ? null : clean
}

/** reva and OpenCloud write 0 for "never". */
function expiry(expiration: number | string | null | undefined, now: number): number | null {
  const seconds = Math.floor(Number(expiration ?? 0))
  if (seconds === 0) return null
  if (seconds > lastSecond) throw badMember('expiration', 'is beyond all dates')
  if (seconds * 1000 > now) return seconds * 1000
  throw badMember('expiration', 'is in the past')
}

/**
 * What a repeat of an offer must have in common with the first: everything that matters except the
 * secret, which is compared by itself. Display names may change.
 */
export function contentHash(offer: ShareOffer): string {
  const { recipient, sender, owner, name, resourceType, providerId } = offer
  const { permissions, strict, form, uri, expiresAt } = offer
  const parties = [recipient, sender, owner].map(formatOcmAddress)
  const rest = [name, resourceType, providerId, permissions, strict, form, uri, expiresAt]
  return createHash('sha256')
    .update(JSON.stringify([...parties, ...rest]))
    .digest('base64url')
}
