import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { expectAgreement } from '../../support/agreement.ts'
import { federation, settle, type Federation, type Member } from '../../support/federation.ts'
import { pairOf } from '../../support/pair.ts'

let net: Federation
let alices: Member
let bobs: Member

beforeEach(async () => {
  net = await federation(2)
  ;[alices, bobs] = net.members as [Member, Member]
  const { invite } = await alices.services().invites.create(alices.user)
  await bobs.services().invites.accept(bobs.user, invite)
  const { share, revoke } = pairOf(alices, bobs)
  await share()
  await revoke((await share()).id)
  await settle(net.members, net.clock)
  expectAgreement(alices, bobs)
})

afterEach(() => net.close())

/** What the other tests stand on: whatever differs is seen. */
it.each([
  ['alice', "UPDATE outgoing_shares SET state = 'sent' WHERE state = 'accepted'"],
  ['alice', "UPDATE outgoing_shares SET state = 'declined' WHERE state = 'accepted'"],
  ['alice', "UPDATE outgoing_shares SET state = 'pending' WHERE state = 'accepted'"],
  ['alice', "UPDATE outgoing_shares SET recipient = 'x' || recipient"],
  ['alice', 'UPDATE refresh_tokens SET revoked_at = 1'],
  ['alice', 'UPDATE refresh_tokens SET revoked_at = NULL'],
  ['alice', "UPDATE refresh_tokens SET secret_hash = 'x' || secret_hash"],
  ['alice', 'DELETE FROM outgoing_shares'],
  ['alice', 'DELETE FROM contacts'],
  ['bob', "UPDATE incoming_shares SET state = 'pending' WHERE state = 'accepted'"],
  ['bob', "UPDATE incoming_shares SET state = 'accepted' WHERE state = 'removed'"],
  ['bob', 'UPDATE incoming_shares SET mount_name = NULL'],
  ['bob', 'UPDATE incoming_shares SET sealed_secret = NULL'],
  ['bob', "DELETE FROM incoming_shares WHERE state = 'accepted'"],
  ['bob', 'DELETE FROM contacts'],
])('at %s’s, %s', (whose, statement) => {
  const { db } = (whose === 'alice' ? alices : bobs).services()
  db.raw.writer.exec(statement)
  expect(() => expectAgreement(alices, bobs)).toThrow()
  expect(() => expectAgreement(bobs, alices)).toThrow()
})
