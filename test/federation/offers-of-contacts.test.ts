import { describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { createSealer } from '../../src/core/index.ts'
import type { NewEntry } from '../../src/outbox/index.ts'
import { createSenderCheck, formatOcmAddress } from '../../src/peers/index.ts'
import { createIncomingShares } from '../../src/shares/index.ts'
import { offerOf, type Offer } from '../support/offer.ts'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { signMessage } from '../support/peer/signing.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

/** The verbs of receiving over a server's own rooms, with one contact and nobody who delivers. */
function incomingOf(server: TestServer, contact: string, requireInvite: boolean) {
  const { db, clock, events, peers, users, config } = server.services()
  const { authority, signatures } = config
  const owed: NewEntry[] = []
  const policy = { ...signatures, requireSignatures: false, allowHttp: true }
  const incoming = createIncomingShares({
    db,
    clock,
    events,
    sealer: createSealer(randomBytes(32)),
    sender: createSenderCheck({ clock, events, peers, policy: () => policy }),
    outbox: {
      prepare: (entry) => () => Promise.resolve(void owed.push(entry)),
      cancel: () => Promise.resolve({ mayHaveArrived: false }),
      retrySubject: () => Promise.resolve(0),
      deliverNow: () => Promise.resolve(),
    },
    policy: () => ({ requireInvite, requireTokenExchange: false }),
    isAutoAccepted: () => false,
    isContact: async (userId, address) =>
      userId === (await users.getUser('marie')).id && formatOcmAddress(address) === contact,
    findRecipient: users.findEnabledUser,
    listOwnNames: () => Promise.resolve([]),
    authority,
    tryAccess: () => Promise.resolve(),
    maxPending: { perUser: 1000, perPeer: 1000 },
    allowHttp: true,
  })
  function receive(peer: IndependentPeer, offer: Offer) {
    const body = Buffer.from(JSON.stringify(offer))
    const message = { method: 'POST', targetUri: `${server.url}/ocm/shares`, body }
    const { headers } = signMessage(message, peer.key, server.clock.seconds())
    const rawHeaders = Object.entries(headers).flat()
    return incoming.receive({ ...message, rawHeaders }, 'application/json')
  }
  return { incoming, owed, receive }
}

describe('a contact', () => {
  it('is the one whose shares need no accepting', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await server.addUser('marie')
    const { incoming, owed, receive } = incomingOf(server, `einstein@${peer.host}`, false)
    const offer = offerOf(server, peer, { providerId: 'one' })
    await receive(peer, offer)
    await receive(peer, offer)
    const stranger = { providerId: 'two', sender: `curie@${peer.host}` }
    await receive(peer, offerOf(server, peer, stranger))
    const [one] = await incoming.findOffers('one')
    expect(one).toMatchObject({ state: 'accepted', mountName: 'Trip' })
    expect(await incoming.findOffers('two')).toMatchObject([{ state: 'pending' }])
    const { protocol } = offer as { protocol: { webdav: { sharedSecret: string } } }
    expect(owed).toEqual([
      {
        peer: peer.host,
        subject: one?.id,
        message: {
          kind: 'notification',
          type: 'SHARE_ACCEPTED',
          providerId: 'one',
          resourceType: 'folder',
          secret: protocol.webdav.sharedSecret,
        },
      },
    ])
  })

  it('is all that gets in with requireInvite', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await server.addUser('marie')
    await server.addUser('pierre')
    const { receive } = incomingOf(server, `einstein@${peer.host}`, true)
    const refused = { kind: 'forbidden', code: 'not_a_contact' }
    await expect(receive(peer, offerOf(server, peer))).resolves.toMatchObject({
      recipientUserId: 'marie',
    })
    for (const change of [
      { sender: `curie@${peer.host}` },
      { shareWith: `pierre@${server.authority}` },
      { shareWith: `nobody@${server.authority}` },
    ]) {
      await expect(receive(peer, offerOf(server, peer, change))).rejects.toMatchObject(refused)
    }
  })
})
