import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { expectInvariants } from '../support/invariants.ts'
import { offerOf } from '../support/offer.ts'
import {
  independentPeer,
  type IndependentPeer,
  type TokenRequestOptions,
} from '../support/peer/independent-peer.ts'
import { startServer } from '../support/start-server.ts'
import { statementsOf } from '../support/statements.ts'

let peer: IndependentPeer
let plain: IndependentPeer

beforeAll(async () => {
  peer = await independentPeer()
  plain = await independentPeer({ flavour: 'ocm-stub' })
})

afterAll(async () => {
  await Promise.all([peer.close(), plain.close()])
})

describe('who is here, a server that is not trusted cannot tell', () => {
  it.each<[string, () => Record<string, unknown>, boolean, TokenRequestOptions]>([
    ['it is denied', () => ({ deny: [peer.host] }), true, {}],
    ['it is not on the list', () => ({ allow: ['friend.example.org'] }), true, {}],
    ['its user is no contact', () => ({ requireInvite: true }), true, {}],
    ['it does not sign and must', () => ({ requireSignatures: true }), false, { unsigned: true }],
    ['it does not sign, no contact', () => ({ requireInvite: true }), false, { unsigned: true }],
    ['it signs for somebody else', () => ({}), false, {}],
  ])('when %s: one answer, for which the database is asked the same', async (...row) => {
    const [, federation, signs, how] = row
    const sender = signs ? peer : plain
    await using server = await startServer({
      courier: false,
      config: { federation: federation() },
    })
    await server.addUser('marie')
    await server.addUser('gone')
    await server.services().users.disableUser('gone')
    // What there is to know of the sender is known from here on.
    const offer = offerOf(server, sender)
    const ask = (user: string) =>
      peer.offer(server, { ...offer, shareWith: `${user}@${server.authority}` }, how)
    await ask('marie')
    const seen = new Set<string>()
    for (const user of ['marie', 'gone', 'nobody', 'MARIE', 'x'.repeat(200)]) {
      const { db } = server.services()
      await expectInvariants(server, async () => {
        let answer = await ask(user)
        const statements = await statementsOf(db, async () => (answer = await ask(user)))
        const { date: _date, 'x-request-id': _id, ...headers } = answer.headers
        seen.add(JSON.stringify([answer.status, answer.text, headers, statements]))
        return answer
      })
    }
    expect([...seen]).toHaveLength(1)
    expect([...seen][0]).toMatch(/^\[40[13],/)
  })
})
