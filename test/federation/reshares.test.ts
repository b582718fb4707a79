import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { inTransaction, incomingShares } from '../../src/db/index.ts'
import { makeOld, migrations, rowsOf } from '../integration/db/old-database.ts'
import { reshareStage, type Given, type ReshareStage } from '../support/reshare-stage.ts'
import type { TestServer } from '../support/start-server.ts'

/** Each case has three servers. */
jest.setTimeout(30_000)

let stage: ReshareStage

beforeEach(async () => {
  stage = await reshareStage()
})

afterEach(() => stage.close())

const shareAt = (server: TestServer, id: string | null) =>
  server.services().shares.getShare(id ?? '')
const statesOf = async (server: TestServer) => [
  ...new Set((await server.services().incoming.list()).map(({ state }) => state)),
]
const owed = async (server: TestServer) =>
  (await server.services().outbox.list()).map(({ label, state }) => `${label} ${state}`)

/** A share of alice's that bob has passed on, and carol has accepted. */
async function passedOn(wanted: Parameters<ReshareStage['give']>[0] = {}) {
  const given = await stage.give(wanted)
  const reshare = await stage.passOn(given)
  await stage.settle()
  const offer = await stage.receivedBy(stage.carols, reshare.providerId ?? '')
  await stage.carols.services().incoming.accept(offer.id)
  const [bobs, carols] = [
    await stage.exchange(stage.bobs, given.incoming.id),
    await stage.exchange(stage.carols, offer.id),
  ]
  return { given, reshare, offer, tokens: { bobs, carols } }
}

const readable = async ({
  bobs,
  carols,
}: {
  bobs?: string | undefined
  carols?: string | undefined
}) => [await stage.read(bobs), await stage.read(carols)]

describe('a share that is passed on', () => {
  it('comes from its owner, as the owner gave it, with a token of its own', async () => {
    const expiresAt = stage.clock.now() + 3_600_000
    const { given, reshare, offer, tokens } = await passedOn({
      expiresAt,
      permissions: ['read', 'write', 'share'],
    })
    expect(reshare).toMatchObject({
      user: 'bob',
      state: 'granted',
      recipient: stage.carol,
      problem: null,
    })
    const alice = `alice@${stage.alices.authority}`
    expect(offer).toMatchObject({
      sender: alice,
      owner: alice,
      senderName: `${stage.bob} via alice`,
      permissions: ['read', 'write', 'share'],
      expiresAt,
    })
    const child = await shareAt(stage.alices, reshare.providerId)
    expect(child).toMatchObject({
      parentId: given.share.id,
      resharedBy: stage.bob,
      state: 'accepted',
    })
    expect(tokens.carols).not.toBe(tokens.bobs)
    expect(await readable(tokens)).toEqual(['sun and sand', 'sun and sand'])
  })

  it('is the same when it is asked for again', async () => {
    const { given, reshare } = await passedOn()
    expect(await stage.passOn(given)).toEqual(reshare)
    expect(await stage.bobs.services().reshares.list('bob')).toEqual([reshare])
    expect(await stage.alices.services().shares.listShares()).toHaveLength(2)
    const dave = `dave@${stage.carols.authority}`
    const many = await Promise.all(Array.from({ length: 5 }, () => stage.passOn(given, dave)))
    expect(new Set(many.map(({ id }) => id)).size).toBe(1)
    expect(await stage.alices.services().shares.listShares()).toHaveLength(3)
  })

  it('is strict where the owner came to demand it, however the first one was', async () => {
    const given = await stage.give()
    const { federation } = stage.alices.services()
    federation.replace({ ...federation.current(), requireTokenExchange: true })
    const reshare = await stage.passOn(given)
    await stage.settle()
    expect([given.share.strict, given.incoming.strict]).toEqual([false, false])
    const offer = await stage.receivedBy(stage.carols, reshare.providerId ?? '')
    expect(offer.strict).toBe(true)
  })

  it('outlives restarts of the servers that gave it and passed it on', async () => {
    const { given, reshare, tokens } = await passedOn()
    await stage.alices.restart()
    await stage.bobs.restart()
    expect(await readable(tokens)).toEqual(['sun and sand', 'sun and sand'])
    expect(await stage.passOn(given)).toEqual(reshare)
    expect(await stage.bobs.services().reshares.undo(reshare.id)).toMatchObject({ state: 'undone' })
    expect(await readable(tokens)).toEqual(['sun and sand', 401])
  })

  it('outlives an upgrade', async () => {
    const { given, reshare, offer, tokens } = await passedOn()
    const first = migrations.findIndex(({ name }) => name === '0002_federation') + 1
    for (const server of [stage.alices, stage.bobs])
      await server.restart((path) => makeOld(path, first))
    expect(await readable(tokens)).toEqual(['sun and sand', 'sun and sand'])
    expect(await stage.read(await stage.exchange(stage.carols, offer.id))).toBe('sun and sand')
    expect(await stage.passOn(given)).toEqual(reshare)
    await stage.bobs.services().reshares.undo(reshare.id)
    expect(await stage.read(tokens.carols)).toBe(401)
  })

  it('leaves nothing when its owner is removed', async () => {
    const { tokens } = await passedOn()
    await stage.alices.services().users.removeUser('alice')
    expect(await readable(tokens)).toEqual([401, 401])
    await stage.settle()
    expect(await statesOf(stage.bobs)).toEqual(['removed'])
    expect(await statesOf(stage.carols)).toEqual(['removed'])
    const { path } = stage.alices.services().db
    const { outgoing_shares, refresh_tokens, access_tokens, outbox } = rowsOf(path)
    expect([outgoing_shares, refresh_tokens, access_tokens, outbox]).toEqual([[], [], [], []])
  })

  it('leaves nothing when who passed it on is removed', async () => {
    const { given, tokens } = await passedOn()
    const dave = `dave@${stage.carols.authority}`
    const waiting = stage.passOn(given, dave)
    await stage.bobs.services().users.removeUser('bob')
    await waiting.catch(() => undefined)
    await expect(stage.passOn(given)).rejects.toMatchObject({ code: 'user_not_found' })
    await stage.settle()
    const { reshares, incoming_shares, outbox } = rowsOf(stage.bobs.services().db.path)
    expect([reshares, incoming_shares, outbox]).toEqual([[], [], []])
    expect(await shareAt(stage.alices, given.share.id)).toMatchObject({ state: 'declined' })
    expect(await readable(tokens)).toEqual([401, 401])
    expect(await statesOf(stage.carols)).toEqual(['removed'])
  })
})

describe('the end of a share that is passed on', () => {
  it('comes at once when the new recipient’s server refuses it, and it may be asked for again', async () => {
    const given = await stage.give()
    await stage.carols.services().peers.setTrust(stage.alices.authority, 'denied')
    const { id, providerId } = await stage.passOn(given)
    await stage.settle()
    expect(await shareAt(stage.alices, providerId)).toMatchObject({
      state: 'revoked',
      problem: expect.stringContaining(stage.carols.authority),
    })
    const { reshares } = stage.bobs.services()
    expect(await reshares.get(id)).toMatchObject({ state: 'undone' })
    await stage.carols.services().peers.setTrust(stage.alices.authority, null)
    await stage.passOn(given)
    await stage.settle()
    expect(await reshares.get(id)).toMatchObject({ state: 'granted' })
    expect(await statesOf(stage.carols)).toEqual(['pending'])
  })

  it('by who passed it on ends nothing else', async () => {
    const { reshare, offer, tokens } = await passedOn()
    const { reshares } = stage.bobs.services()
    const undone = await reshares.undo(reshare.id)
    expect(undone).toMatchObject({ state: 'undone', endedAt: stage.clock.now() })
    expect(await reshares.undo(reshare.id)).toEqual(undone)
    expect(await readable(tokens)).toEqual(['sun and sand', 401])
    await stage.settle()
    const { incoming } = stage.carols.services()
    expect(await incoming.get(offer.id)).toMatchObject({ state: 'removed', endedBy: 'sender' })
  })

  it('by who passed it on is no end for ever', async () => {
    const { given, reshare, tokens } = await passedOn()
    await stage.bobs.services().reshares.undo(reshare.id)
    const again = await stage.passOn(given)
    expect(again).toMatchObject({ id: reshare.id, state: 'granted', endedAt: null })
    expect(again.providerId).not.toBe(reshare.providerId)
    await stage.settle()
    const offer = await stage.receivedBy(stage.carols, again.providerId ?? '')
    expect(await stage.read(await stage.exchange(stage.carols, offer.id))).toBe('sun and sand')
    expect(await stage.read(tokens.carols)).toBe(401)
  })

  it.each<[string, (given: Given) => Promise<unknown>]>([
    ['the owner', ({ share }) => stage.alices.services().shares.revokeShare(share.id)],
    ['who got it first', ({ incoming }) => stage.bobs.services().incoming.decline(incoming.id)],
    [
      'who got it first, for good',
      ({ incoming }) => stage.bobs.services().incoming.remove(incoming.id),
    ],
  ])('with the share itself, by %s', async (_name, end) => {
    const { given, reshare, offer, tokens } = await passedOn()
    await end(given)
    await stage.settle()
    expect(await readable(tokens)).toEqual([401, 401])
    const { reshares } = stage.bobs.services()
    expect(await reshares.get(reshare.id)).toMatchObject({ state: 'undone', problem: null })
    expect(await stage.carols.services().incoming.get(offer.id)).toMatchObject({ state: 'removed' })
    expect((await shareAt(stage.alices, reshare.providerId)).state).toBe('revoked')
    expect([await owed(stage.alices), await owed(stage.bobs)]).toEqual([[], []])
  })
})

describe('the end of what was passed on', () => {
  const ends: [string, (childId: string, offerId: string) => Promise<unknown>][] = [
    ['its owner', (childId) => stage.alices.services().shares.revokeShare(childId)],
    ['who got it', (_childId, offerId) => stage.carols.services().incoming.decline(offerId)],
  ]

  it.each(ends)('by %s is told to who passed it on, who can do so again', async (_who, end) => {
    const { given, reshare, offer, tokens } = await passedOn()
    await end(reshare.providerId ?? '', offer.id)
    await stage.settle()
    expect(await readable(tokens)).toEqual(['sun and sand', 401])
    const { reshares } = stage.bobs.services()
    expect(await reshares.get(reshare.id)).toMatchObject({ state: 'undone', problem: null })
    expect([await owed(stage.alices), await owed(stage.bobs)]).toEqual([[], []])
    const again = await stage.passOn(given)
    expect([again.state, again.providerId === reshare.providerId]).toEqual(['granted', false])
  })
})

describe('what the owner does not grant', () => {
  const refused = { state: 'refused', providerId: null }

  it('is refused in words, and can be asked for once more', async () => {
    const { federation } = stage.alices.services()
    const policy = federation.current()
    federation.replace({ ...policy, reshare: false })
    const given = await stage.give()
    const reshare = await stage.passOn(given)
    expect(reshare).toMatchObject({ ...refused, problem: expect.stringContaining('answered 403') })
    expect(await owed(stage.bobs)).toEqual(['REQUEST_RESHARE refused'])
    expect(await stage.alices.services().shares.listShares()).toHaveLength(1)

    federation.replace(policy)
    const { reshares } = stage.bobs.services()
    expect(await reshares.send(reshare.id)).toMatchObject({ state: 'granted', problem: null })
    await expect(reshares.send(reshare.id)).rejects.toMatchObject({ code: 'reshare_state' })
  })

  it('is not there to be undone', async () => {
    const { federation } = stage.alices.services()
    federation.replace({ ...federation.current(), reshare: false })
    const reshare = await stage.passOn(await stage.give())
    expect(await stage.bobs.services().reshares.undo(reshare.id)).toMatchObject({ state: 'undone' })
    expect(await owed(stage.bobs)).toEqual([])
  })

  it('is what was not to be shared, whatever is believed elsewhere', async () => {
    const given = await stage.give({ permissions: ['read'] })
    const asked = stage.alices.outboundCalls()
    await expect(stage.passOn(given)).rejects.toMatchObject({ code: 'reshare_forbidden' })
    expect([stage.alices.outboundCalls(), await owed(stage.bobs)]).toEqual([asked, []])
    await inTransaction(stage.bobs.services().db, async (tx) => {
      await tx.update(incomingShares).set({ permissions: ['read', 'share'] })
    })
    expect(await stage.passOn(given)).toMatchObject(refused)
    expect(await stage.alices.services().shares.listShares()).toHaveLength(1)
  })
})
