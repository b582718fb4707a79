import { newId, type Clock, type EventHub } from '../core/index.ts'
import { inTransaction, type Database, type Transaction } from '../db/index.ts'
import { formatOcmAddress, parseOcmAddress, type OcmAddress } from '../peers/index.ts'
import type { Users } from '../users/index.ts'
import { InviteError } from './errors.ts'
import {
  deleteContact,
  findContact,
  selectContacts,
  upsertContact,
  type ContactRow,
} from './queries.ts'
import type { InviteIdentity } from './wire.ts'

/** A person on another server whom a user knows. */
export interface Contact {
  readonly address: string
  readonly name: string
  readonly email: string | null
  /** `invited`: they used our invite; `accepted`: we used theirs. */
  readonly source: ContactRow['source']
  readonly addedAt: number
}

export interface ContactsDeps {
  db: Database
  clock: Clock
  events: EventHub
  users: Pick<Users, 'getUser'>
}

export type Contacts = ReturnType<typeof createContacts>

const contactOf = ({ name, email, source, addedAt, ...address }: ContactRow): Contact => ({
  address: formatOcmAddress(address),
  name,
  email,
  source,
  addedAt,
})

export function createContacts({ db, clock, events, users }: ContactsDeps) {
  return {
    /** The people a user knows, by server. */
    async list(username: string): Promise<Contact[]> {
      const { id } = await users.getUser(username)
      return (await selectContacts(db, id)).map(contactOf)
    },

    /** Shares that are there stay; new ones come from a stranger. */
    async remove(username: string, text: string): Promise<void> {
      const { id } = await users.getUser(username)
      const { host, identifier } = parseOcmAddress(text)
      const address = formatOcmAddress({ host, identifier })
      if (!(await inTransaction(db, (tx) => deleteContact(tx, id, host, identifier)))) {
        const message = `${username} has no contact "${address}"; "davmesh contact list ${username}" shows them.`
        throw new InviteError('contact_not_found', message)
      }
      events.emit('contact.removed', { address })
    },

    /** Whether a user knows this person. */
    async isContact(userId: string, { host, identifier }: OcmAddress): Promise<boolean> {
      return (await findContact(db, userId, host, identifier)) !== undefined
    },

    /** Adds one, or takes over the new name of one, in the transaction that makes it known. */
    async add(
      tx: Transaction,
      userId: string,
      { host, identifier }: OcmAddress,
      { name, email }: Pick<InviteIdentity, 'name' | 'email'>,
      source: ContactRow['source'],
    ): Promise<Contact> {
      const row = {
        id: newId(),
        userId,
        host,
        identifier,
        name,
        email: email || null,
        source,
        addedAt: clock.now(),
      }
      await upsertContact(tx, row)
      return contactOf((await findContact(tx, userId, host, identifier)) ?? row)
    },
  }
}
