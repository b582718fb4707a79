import type { Clock } from '../../core/index.ts'
import { formatOcmAddress, parseOcmAddress, type Peers } from '../../peers/index.ts'
import type { AddressedShare, IncomingShareRow } from '../incoming/queries.ts'
import { ReshareError } from './errors.ts'

export interface PassableDeps {
  clock: Clock
  peers: Pick<Peers, 'isDenied'>
  /** `host[:port]` of this server. */
  authority: string
  /** The name of the folder that holds what a user received. */
  sharedFolder: string
}

/** Why a share is not among the user's, and what to do. */
export function absent({ id, name, state, sender }: IncomingShareRow): ReshareError {
  const what = `Received share ${id} ("${name}")`
  const message =
    state === 'pending'
      ? `${what} is pending; accept it first: davmesh received accept ${id}.`
      : `${what} was ${state}; ask ${sender} to share it again.`
  return new ReshareError('reshare_state', message)
}

/** What may be passed on, and to whom, as far as we know; its owner decides. */
export function createPassable({ clock, peers, authority, sharedFolder }: PassableDeps) {
  const placeOf = ({ mountName, name }: IncomingShareRow): string =>
    `/${sharedFolder}/${mountName ?? name}`

  return {
    /** @throws ReshareError `reshare_part` for what lies below. */
    checkWhole({ row }: AddressedShare, below: readonly string[]): void {
      if (below.length === 0) return
      const message = `Only the whole of ${placeOf(row)} can be passed on; name that, or ask ${row.owner} to share a part of it.`
      throw new ReshareError('reshare_part', message)
    },

    /** @throws ReshareError `reshare_state`, `reshare_forbidden`. */
    checkShare({ row }: AddressedShare): void {
      if (row.state !== 'accepted') throw absent(row)
      const { permissions, expiresAt, owner } = row
      if (expiresAt !== null && expiresAt <= clock.now()) {
        const message = `${placeOf(row)} has expired; ask ${owner} to share it again.`
        throw new ReshareError('reshare_state', message)
      }
      // Who does not say what may be done with it is asked.
      if (permissions !== null && !permissions.includes('share')) {
        const message = `${placeOf(row)} came without the permission "share"; ask ${owner} to give it.`
        throw new ReshareError('reshare_forbidden', message)
      }
    },

    /**
     * The OCM address to ask for.
     *
     * @throws ReshareError `reshare_bad_recipient`; PeerError `bad_address`.
     */
    async readRecipient({ row }: AddressedShare, text: string): Promise<string> {
      const recipient = parseOcmAddress(text)
      const address = formatOcmAddress(recipient)
      const refuse = (why: string) => new ReshareError('reshare_bad_recipient', `${text} ${why}`)
      const { owner, senderHost } = row
      if (address === owner) {
        throw refuse(`is the owner of ${placeOf(row)} and has it; name somebody else.`)
      }
      if (recipient.host === senderHost) {
        throw refuse(`is on the owner's own server; ask ${owner} to share with them there.`)
      }
      if (recipient.host === authority) {
        throw refuse(`is on this very server; ask ${owner} to share with them.`)
      }
      if (await peers.isDenied(recipient.host)) {
        throw refuse(`is on a denied server; see davmesh peer show ${recipient.host}.`)
      }
      return address
    },
  }
}
