import { parseOcmAddress, type InspectedSender } from '../peers/index.ts'
import type { AskedReshare } from '../shares/index.ts'
import type { NotificationsDeps } from './deps.ts'
import { NotificationError } from './errors.ts'
import type { Notice } from './wire.ts'

type Offers = Awaited<ReturnType<NotificationsDeps['incoming']['findOffers']>>
type Outgoing = NonNullable<Awaited<ReturnType<NotificationsDeps['answers']['findOutgoing']>>>

/** Who may speak about a share, and what as. */
export type Party =
  /** To whom we gave it. */
  | { readonly role: 'recipient'; readonly host: string; readonly share: Outgoing }
  /** Who asked us to pass it on. */
  | { readonly role: 'initiator'; readonly host: string; readonly share: Outgoing }
  /** Whom we asked to pass it on. */
  | { readonly role: 'owner'; readonly host: string; readonly reshare: AskedReshare }
  /** Who gave it to our users. */
  | { readonly role: 'sender'; readonly host: string; readonly offers: Offers }

/**
 * Whom a notification comes from: the other side of the share it names, proven by its signature or,
 * from a peer that does not sign, by the secret of the share. Nobody learns which shares there are.
 */
export function createAuthorise({
  sender: senders,
  incoming,
  answers,
  grants,
  reshares,
  shareOfToken,
}: NotificationsDeps) {
  async function findParties({ type, providerId }: Notice): Promise<Party[]> {
    const share = await answers.findOutgoing(providerId)
    if (type === 'RESHARE_UNDO') {
      if (share?.resharedBy != null) {
        return [{ role: 'initiator', host: parseOcmAddress(share.resharedBy).host, share }]
      }
      const passedOn = await reshares.findPassedOn(providerId)
      return passedOn.map((one) => ({ role: 'owner', host: one.parent.senderHost, reshare: one }))
    }
    const parties: Party[] = []
    if (share) parties.push({ role: 'recipient', host: share.recipientHost, share })
    if (type !== 'SHARE_UNSHARED') return parties
    const offers = await incoming.findOffers(providerId)
    for (const host of new Set(offers.map(({ senderHost }) => senderHost))) {
      const own = offers.filter(({ senderHost }) => senderHost === host)
      parties.push({ role: 'sender', host, offers: own })
    }
    return parties
  }

  /** What of a party's the secret stands for. */
  async function proven(party: Party, secret: string): Promise<Party | undefined> {
    switch (party.role) {
      case 'recipient': {
        const { id } = party.share
        const known = await answers.matchesSecret(id, secret)
        // Nextcloud puts the access token where the secret belongs once it has exchanged it.
        return known || (await shareOfToken(secret)) === id ? party : undefined
      }
      case 'initiator': {
        const { share } = party
        if (grants.matchesUndoToken(share, secret)) return party
        const ofParent = await answers.matchesSecret(share.parentId ?? '', secret)
        return ofParent ? party : undefined
      }
      case 'owner':
        return reshares.matchesToken(party.reshare, secret) ? party : undefined
      case 'sender': {
        const offers = party.offers.filter((row) => incoming.matchesSecret(row, secret))
        return offers.length > 0 ? { ...party, offers } : undefined
      }
    }
  }

  const refused = () => new NotificationError('not_a_party', 'RESOURCE_NOT_FOUND')

  /**
   * @throws NotificationError `not_a_party`, `proof_required`, `unknown_share`; SenderError;
   *   PeerError.
   */
  return async function authorise(inspected: InspectedSender, notice: Notice): Promise<Party> {
    const parties = await findParties(notice)
    if (inspected.scheme !== 'none') {
      // A signature that fails never falls back to the secret.
      const { host } = inspected
      const party = parties.find((one) => one.host === host)
      // Strangers cannot make us fetch their keys.
      if (!(party ?? (await answers.isAcquainted(host)))) throw refused()
      await senders.authenticate(inspected, host)
      if (party) return party
      // The same for a share of others and for none at all.
      throw new NotificationError('unknown_share', 'there is no such share with your server')
    }
    const { secret } = notice
    if (secret === null) {
      const message = 'the request must be signed, or hold the secret of the share'
      throw new NotificationError('proof_required', message)
    }
    for (const party of parties) {
      const own = await proven(party, secret)
      if (own) {
        await senders.authenticate(inspected, own.host)
        return own
      }
    }
    throw refused()
  }
}
