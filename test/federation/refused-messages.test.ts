import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { expectInvariants } from '../support/invariants.ts'
import { acceptanceOf, contactsOf, tokenOf } from '../support/invites.ts'
import { offerOf } from '../support/offer.ts'
import {
  independentPeer,
  type IndependentPeer,
  type TokenRequestOptions,
} from '../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

let server: TestServer
let peer: IndependentPeer
let invite: string
let shareId: string

beforeAll(async () => {
  server = await startServer({ config: { federation: { reshare: true } } })
  await addAlice(server)
  await server.addUser('marie')
  peer = await independentPeer()
  // Its keys are known from here on, so that a refusal asks nobody anything.
  await peer.offer(server, offerOf(server, peer))
  shareId = (await shareWith(server, peer, { permissions: ['read', 'share'] })).id
  ;({ invite } = await server.services().invites.create('alice'))
  server.secrets.add(invite).add(tokenOf(invite))
})

afterAll(async () => {
  await Promise.all([peer.close(), server.close()])
})

type Change = Readonly<Record<string, unknown>>

/** CI1 to CI5, and the members that the answer names. */
async function refusal(path: string, body: unknown, how: TokenRequestOptions = {}) {
  const [answer] = await expectInvariants(server, () => peer.tell(server, path, body, how))
  const issues = (answer?.json()['validationErrors'] ?? []) as { name: string }[]
  return [answer?.status, ...issues.map(({ name }) => name)]
}

const bidi = '\u202e'
const long = 'x'.repeat(10_240)

describe('an acceptance of an invite (D4 to D9, D12)', () => {
  const refused = (change: Change) =>
    refusal('/ocm/invite-accepted', { ...acceptanceOf(peer, invite), ...change })

  it.each<[string, () => Change, (number | string)[]]>([
    ['of an unknown token', () => ({ token: 'unknown' }), [400]],
    ['of no token', () => ({ token: '' }), [400, 'token']],
    ['of a token that is none', () => ({ token: 7 }), [400, 'token']],
    ['of a token of 10 KiB', () => ({ token: long }), [400, 'token']],
    ['by nobody', () => ({ userID: undefined }), [400, 'userID']],
    ['by an empty user', () => ({ userID: '' }), [400, 'userID']],
    ['by a list', () => ({ userID: ['bob'] }), [400, 'userID']],
    ['by a user of 10 KiB', () => ({ userID: long }), [400, 'userID']],
    ['by a user of 600 characters', () => ({ userID: 'x'.repeat(600) }), [400]],
    ['by a user with NUL', () => ({ userID: 'bob\u0000' }), [400]],
    ['by a user with a line feed', () => ({ userID: 'bob\nroot' }), [400]],
    ['by a user with C1', () => ({ userID: 'bob\u009b2J' }), [400]],
    ['by a user with bidi controls', () => ({ userID: `${bidi}bob` }), [400]],
    ['at no host', () => ({ recipientProvider: '' }), [400, 'recipientProvider']],
    ['at a path', () => ({ recipientProvider: `${peer.host}/../x` }), [400]],
    ['at a user', () => ({ recipientProvider: `bob@${peer.host}` }), [400]],
    ['at a file', () => ({ recipientProvider: 'file:///etc/passwd' }), [400]],
    ['at ourselves', () => ({ recipientProvider: server.authority }), [400]],
    ['at another server', () => ({ recipientProvider: 'elsewhere.example.org' }), [403]],
  ])('%s is refused', async (_name, change, expected) => {
    expect(await refused(change())).toEqual(expected)
  })

  it('names whoever it is in one harmless line', async () => {
    const name = `${bidi}Bob\u0000\u009b2J\n${'y'.repeat(600)}`
    const body = { ...acceptanceOf(peer, invite), name, email: { no: 'text' } }
    expect((await peer.tell(server, '/ocm/invite-accepted', body)).status).toBe(200)
    const [contact] = await contactsOf(server, 'alice')
    expect(contact?.name).toBe(`Bob2J${'y'.repeat(250)}`)
  })

  it('with a name of 10 KiB is by somebody without one', async () => {
    const { invite: another } = await server.services().invites.create('marie')
    const body = { ...acceptanceOf(peer, another), name: long }
    expect((await peer.tell(server, '/ocm/invite-accepted', body)).status).toBe(200)
    expect(await contactsOf(server, 'marie')).toMatchObject([{ name: 'bob' }])
  })
})

describe('a notification', () => {
  const refused = (change: Change, how: TokenRequestOptions = {}) => {
    const good = { notificationType: 'SHARE_ACCEPTED', resourceType: 'folder', providerId: shareId }
    return refusal('/ocm/notifications', { ...good, ...change }, how)
  }

  it.each<[string, Change, (number | string)[]]>([
    ['of no type', { notificationType: undefined }, [400, 'notificationType']],
    ['of an empty type', { notificationType: '' }, [400, 'notificationType']],
    ['of a type that is none', { notificationType: ['SHARE_ACCEPTED'] }, [400, 'notificationType']],
    ['of a type of 10 KiB', { notificationType: long }, [400, 'notificationType']],
    ['of an unknown type', { notificationType: 'constructor' }, [501]],
    ['of a type in lower case', { notificationType: 'share_accepted' }, [501]],
    ['about nothing', { providerId: undefined }, [400, 'providerId']],
    ['about an empty id', { providerId: '' }, [400, 'providerId']],
    ['about a fraction', { providerId: 1.5 }, [400, 'providerId']],
    ['about an id of 10 KiB', { providerId: long }, [400, 'providerId']],
    ['about a path', { providerId: '../../etc/passwd' }, [400]],
    ['about SQL', { providerId: "' OR 1=1 --" }, [400]],
    ['with arguments that are a text', { notification: 'x' }, [400, 'notification']],
  ])('%s is refused', async (_name, change, expected) => {
    expect(await refused(change)).toEqual(expected)
  })

  it.each<[string, unknown, number]>([
    ['nobody', undefined, 400],
    ['an empty address', '', 400],
    ['a text that is no address', 'carol', 400],
    ['a user with bidi controls', `${bidi}carol@third.example.org`, 400],
    ['a user with NUL', 'ca\u0000rol@third.example.org', 400],
    ['a user of 600 characters', `${'x'.repeat(600)}@third.example.org`, 400],
    ['a path', 'carol@third.example.org/../x', 400],
    ['one whom it has', 'BOB', 400],
  ])('that asks to pass on to %s is refused', async (_name, to, status) => {
    const shareWith = to === 'BOB' ? `bob@${peer.host}` : to
    const notification = { shareWith, senderId: '7', shareType: 'user' }
    const refusedAs = await refused({ notificationType: 'REQUEST_RESHARE', notification })
    expect(refusedAs[0]).toBe(status)
  })
})
