import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { join } from 'node:path'
import { openDatabase } from '../../../src/db/index.ts'
import { expectAgreement, type Side } from '../../support/agreement.ts'
import { federation, settle, type Federation, type Member } from '../../support/federation.ts'
import { pairOf } from '../../support/pair.ts'

let net: Federation
let alices: Member
let bobs: Member

beforeAll(async () => {
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

afterAll(() => net.close())

let copies = 0

/** What a server knows, but for what a statement changes. */
function changed(member: Member, statement: string): Side {
  const { db, config } = member.services()
  const path = join(member.dir, `copy-${(copies += 1)}.sqlite`)
  db.raw.writer.prepare('VACUUM INTO ?').run(path)
  const copy = openDatabase(path)
  copy.raw.writer.exec(statement)
  return { authority: member.authority, db: copy, secretKeyFile: config.secretKeyFile }
}

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
  const [member, other] = whose === 'alice' ? [alices, bobs] : [bobs, alices]
  const side = changed(member, statement)
  try {
    expect(() => expectAgreement(side, other)).toThrow()
    expect(() => expectAgreement(other, side)).toThrow()
  } finally {
    side.db.close()
  }
})

it('and what does not differ is not', () => {
  const side = changed(alices, 'SELECT 1')
  expectAgreement(side, bobs)
  side.db.close()
})
