import { hashSecret, newId, reach, type Clock, type EventHub } from '../core/index.ts'
import { inTransaction, type Database } from '../db/index.ts'
import {
  formatOcmAddress,
  parseHost,
  parseOcmAddress,
  type OcmAddress,
  type Peers,
  type ReceivedMessage,
  type SenderCheck,
} from '../peers/index.ts'
import type { User, Users } from '../users/index.ts'
import { createContacts, type Contact } from './contacts.ts'
import { InviteError } from './errors.ts'
import { newInviteToken, parseInviteText, writeInviteText } from './invite-text.ts'
import {
  countOpenInvites,
  deleteExpiredInvites,
  findGivenInvite,
  findInvite,
  insertInvite,
  selectInvites,
  updateInvite,
  type OwnedInvite,
} from './queries.ts'
import {
  normaliseRemoteUserId,
  readAcceptance,
  readIdentity,
  type InviteAcceptance,
  type InviteIdentity,
} from './wire.ts'

/** An invite that a user gave, without what it opens. */
export interface Invite {
  readonly id: string
  readonly user: string
  readonly state: 'open' | 'accepted' | 'expired' | 'revoked'
  readonly createdAt: number
  readonly expiresAt: number
  /** OCM address of who used it. */
  readonly acceptedBy: string | null
  readonly acceptedAt: number | null
}

export interface InvitesDeps {
  db: Database
  clock: Clock
  events: EventHub
  peers: Pick<Peers, 'discover' | 'post'>
  sender: SenderCheck
  users: Pick<Users, 'getUser'>
  /** `host[:port]` of this server. */
  authority: string
  /** Open invites that a user may have. */
  maxOpen: number
}

/** What the peer of an accepted invite is told. */
export interface InviteAnswer {
  readonly status: 200 | 409
  readonly body: InviteIdentity
}

export type Invites = ReturnType<typeof createInvites>['invites']

const lifetimeMs = 30 * 24 * 60 * 60_000

/** So long after its end the same acceptance is told the same again. */
const keptMs = 30 * 24 * 60 * 60_000

export function createInvites(deps: InvitesDeps) {
  const { db, clock, events, peers, sender, users, authority, maxOpen } = deps
  const contacts = createContacts({ db, clock, events, users })

  /** `userID@host` is byte for byte what `sender` of this user's shares says. */
  const identityOf = ({ username, email, displayName }: User): InviteIdentity => ({
    userID: username,
    email: email ?? formatOcmAddress({ identifier: username, host: authority }),
    name: displayName,
  })

  function inviteOf(row: OwnedInvite): Invite {
    const { id, username: user, createdAt, expiresAt, acceptedBy, acceptedAt } = row
    const unused = expiresAt > clock.now() ? ('open' as const) : ('expired' as const)
    const ended = row.revokedAt === null ? unused : ('revoked' as const)
    const state = acceptedAt === null ? ended : ('accepted' as const)
    return { id, user, state, createdAt, expiresAt, acceptedBy, acceptedAt }
  }

  async function getActive(username: string): Promise<User> {
    const user = await users.getUser(username)
    if (user.disabledAt === null) return user
    throw new InviteError('user_disabled', `User "${username}" is disabled.`)
  }

  async function getInvite(id: string): Promise<Invite> {
    const row = await findInvite(db, id)
    if (row !== undefined) return inviteOf(row)
    throw new InviteError('invite_not_found', `There is no invite "${id}".`)
  }

  /** Uses the invite up, and makes the one who brought it a contact of who gave it. */
  function settle(acceptance: InviteAcceptance, address: OcmAddress) {
    const tokenHash = hashSecret(acceptance.token)
    const accepter = formatOcmAddress(address)
    return inTransaction(db, async (tx) => {
      const found = await findGivenInvite(tx, tokenHash)
      // One text for all of them: who holds no living invite learns nothing about invites.
      if (found === undefined || found.invite.revokedAt !== null || found.user.disabledAt !== null)
        return 'unknown'
      const { invite, user } = found
      if (invite.acceptedBy === accepter) return { outcome: 'again' as const, invite, user }
      if (invite.acceptedBy !== null) return 'used'
      const now = clock.now()
      if (now >= invite.expiresAt) return 'unknown'
      await updateInvite(tx, invite.id, { acceptedBy: accepter, acceptedAt: now })
      await contacts.add(tx, user.id, address, acceptance, 'invited')
      return { outcome: 'accepted' as const, invite, user }
    })
  }

  function refuse(peer: string, code: 'invite_unknown' | 'invite_used'): InviteError {
    events.emit('invite.refused', { peer, reason: code })
    const message =
      code === 'invite_used' ? 'The invite has been used.' : 'There is no such living invite.'
    return new InviteError(code, message)
  }

  const invites = {
    /** An invite for somebody on any other server; the string is shown this once. */
    async create(username: string): Promise<{ id: string; invite: string; expiresAt: number }> {
      const { id: userId } = await getActive(username)
      const token = newInviteToken(authority)
      const id = `inv-${newId()}`
      const createdAt = clock.now()
      const expiresAt = createdAt + lifetimeMs
      const row = { id, userId, tokenHash: hashSecret(token), createdAt, expiresAt }
      await inTransaction(db, async (tx) => {
        if ((await countOpenInvites(tx, userId, createdAt)) >= maxOpen) {
          const message = `User "${username}" has ${maxOpen} open invites; revoke some: davmesh invite list --user ${username}`
          throw new InviteError('too_many_invites', message)
        }
        await insertInvite(tx, row)
      })
      events.emit('invite.created', { inviteId: id })
      return { id, invite: writeInviteText({ token, host: authority }), expiresAt }
    },

    async list(username?: string): Promise<Invite[]> {
      const userId = username === undefined ? undefined : (await users.getUser(username)).id
      return (await selectInvites(db, userId)).map(inviteOf)
    },

    /** Drops invites that ended long ago, used or not, at most `limit`. Returns how many. */
    removeOld: (limit: number): Promise<number> =>
      inTransaction(db, (tx) => deleteExpiredInvites(tx, clock.now() - keptMs, limit)),

    /** Nobody can use it any more. */
    async revoke(id: string): Promise<Invite> {
      const { state, acceptedBy, user } = await getInvite(id)
      if (state === 'accepted') {
        const message = `Invite "${id}" has been used by ${acceptedBy}; to end that: davmesh contact remove ${user} ${acceptedBy}`
        throw new InviteError('invite_state', message)
      }
      await inTransaction(db, (tx) => updateInvite(tx, id, { revokedAt: clock.now() }))
      return getInvite(id)
    },

    /**
     * Uses somebody's invite: tells their server, and makes them a contact of the user. A person
     * waits for the outcome, so nothing is retried later.
     *
     * @throws InviteError, PeerError, OutboundError; nothing is stored then.
     */
    async accept(username: string, text: string): Promise<Contact> {
      const user = await getActive(username)
      const { token, host } = parseInviteText(text)
      if (host === authority) {
        throw new InviteError('own_invite', 'That invite is of this very server.')
      }
      const peer = await peers.discover(host)
      const message = { recipientProvider: authority, token, ...identityOf(user) }
      const answer = await peers.post(peer, '/invite-accepted', message)
      await reach('invite.answered')
      // 409 with an identity: we had accepted before, and the answer was lost.
      const good = answer.status === 200 || answer.status === 201 || answer.status === 409
      const identity = good ? readIdentity(answer.body) : undefined
      if (identity === undefined) throw refused(host, answer.status, answer.reason)
      const identifier = normaliseRemoteUserId(identity.userID, host)
      const address = parseOcmAddress(`${identifier}@${host}`)
      const contact = await inTransaction(db, (tx) =>
        contacts.add(tx, user.id, address, identity, 'accepted'),
      )
      events.emit('contact.added', { address: contact.address })
      return contact
    },

    /**
     * `POST /ocm/invite-accepted` (OCM, "Invite Acceptance Request").
     *
     * @throws InviteError, SenderError, PeerError, HttpError, ValidationError.
     */
    async receive(
      message: ReceivedMessage,
      contentType: string | undefined,
    ): Promise<InviteAnswer> {
      const inspected = sender.inspect(message)
      const acceptance = readAcceptance(message.body, contentType)
      const host = parseHost(acceptance.recipientProvider)
      const identifier = normaliseRemoteUserId(acceptance.userID, host)
      const address = parseOcmAddress(`${identifier}@${host}`)
      if (host === authority) {
        throw new InviteError('own_invite', 'recipientProvider is this very server.')
      }
      await sender.authenticate(inspected, host)
      const settled = await settle(acceptance, address)
      if (settled === 'unknown') throw refuse(host, 'invite_unknown')
      if (settled === 'used') throw refuse(host, 'invite_used')
      const { outcome, invite, user } = settled
      if (outcome === 'again') return { status: 409, body: identityOf(user) }
      await reach('invite.committed')
      events.emit('invite.accepted', { inviteId: invite.id, peer: host })
      events.emit('contact.added', { address: formatOcmAddress(address) })
      return { status: 200, body: identityOf(user) }
    },
  }
  return { invites, contacts }
}

function refused(host: string, status: number, reason: string): InviteError {
  const said = reason === '' ? `status ${status}` : `status ${status}, "${reason}"`
  const [code, message] =
    status === 409
      ? (['invite_used', `${host} says that the invite has been used (${said}).`] as const)
      : (['invite_refused', `${host} did not take the invite (${said}).`] as const)
  return new InviteError(code, message)
}
