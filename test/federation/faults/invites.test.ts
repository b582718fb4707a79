import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { expectAgreement } from '../../support/agreement.ts'
import { federation, type Federation, type Member } from '../../support/federation.ts'
import { contactsOf } from '../../support/invites.ts'

let net: Federation
let alices: Member
let bobs: Member

beforeAll(async () => {
  net = await federation(2)
  ;[alices, bobs] = net.members as [Member, Member]
})

afterAll(() => net.close())

beforeEach(async () => {
  net.heal()
  for (const [member, friend] of [
    [alices, bobs],
    [bobs, alices],
  ] as const) {
    await member
      .services()
      .contacts.remove(member.user, friend.address)
      .catch(() => undefined)
  }
})

const accept = (invite: string) => bobs.services().invites.accept(bobs.user, invite)

/** A person waits for the outcome and is the one who tries again. */
const failing = [
  'drop',
  'drop-answer',
  'reset',
  'reset-answer',
  'error',
  'busy',
  'bad-gateway',
  'garbage',
  'noise',
  'truncate',
] as const

const expectContacts = async () => {
  const alice = { address: alices.address, name: 'alice', source: 'accepted' }
  const bob = { address: bobs.address, name: 'bob', source: 'invited' }
  expect(await contactsOf(bobs, 'bob')).toEqual([alice])
  expect(await contactsOf(alices, 'alice')).toEqual([bob])
  expectAgreement(alices, bobs)
}

describe('using an invite', () => {
  it.each(failing)('%s: who tries again knows, and is known, once', async (fault) => {
    const { invite } = await alices.services().invites.create(alices.user)
    alices.proxy.next('/ocm/invite-accepted', fault)
    await expect(accept(invite)).rejects.toThrow()
    expect(await contactsOf(bobs, 'bob')).toEqual([])
    await accept(invite)
    await expectContacts()
    // Again is no change, and nobody else can use it.
    await accept(invite)
    await expectContacts()
  })

  it.each(['delay', 'duplicate', 'twins'] as const)('%s: works the first time', async (fault) => {
    const { invite } = await alices.services().invites.create(alices.user)
    alices.proxy.next('/ocm/invite-accepted', fault)
    await accept(invite)
    await expectContacts()
  })

  it('a message that arrives late is a repeat of the one that came in time', async () => {
    const { invite } = await alices.services().invites.create(alices.user)
    alices.proxy.next('/ocm/invite-accepted', 'hold')
    await expect(accept(invite)).rejects.toThrow()
    await accept(invite)
    expect(await alices.proxy.release()).toEqual([409])
    await expectContacts()
  })

  it('is used by one of two who bring it at the same time', async () => {
    const { invite } = await alices.services().invites.create(alices.user)
    await bobs.addUser('mallory')
    const outcomes = await Promise.allSettled([
      accept(invite),
      bobs.services().invites.accept('mallory', invite),
    ])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await contactsOf(alices, 'alice')).toHaveLength(1)
    expectAgreement(alices, bobs)
  })
})
