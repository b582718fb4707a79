import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { expectAgreement } from '../../support/agreement.ts'
import { federation, seen, settle, type Federation, type Member } from '../../support/federation.ts'
import { pairOf } from '../../support/pair.ts'

let net: Federation
let alices: Member
let bobs: Member
let pair: ReturnType<typeof pairOf>

beforeAll(async () => {
  net = await federation(2)
  ;[alices, bobs] = net.members as [Member, Member]
  pair = pairOf(alices, bobs)
})

afterAll(() => net.close())

beforeEach(() => net.heal())

describe('a message that arrives when its sender has given up', () => {
  it('offers nothing that was taken back meanwhile', async () => {
    bobs.proxy.next('/ocm/shares', 'hold')
    const { id } = await pair.share()
    await pair.revoke(id)
    expect(await pair.states(id)).toEqual(['revoked', []])
    expect(await bobs.proxy.release()).toEqual([201])
    await settle(net.members, net.clock)
    expect(await pair.states(id)).toEqual(['revoked', ['removed']])
    expectAgreement(alices, bobs)
  })

  it('is refused when it took too long, and then nothing is owed', async () => {
    bobs.proxy.next('/ocm/shares', 'hold')
    const { id } = await pair.share()
    await pair.revoke(id)
    await settle(net.members, net.clock)
    expect(await bobs.proxy.release()).toEqual([401])
    expect(await pair.states(id)).toEqual(['revoked', []])
    expectAgreement(alices, bobs)
  })

  it('offers a share once, whatever became of it', async () => {
    bobs.proxy.next('/ocm/shares', 'hold')
    const { id } = await pair.share()
    await settle(net.members, net.clock)
    await pair.accept(id)
    await pair.revoke(id)
    expect(await bobs.proxy.release()).toEqual([201])
    await settle(net.members, net.clock)
    expect(await pair.states(id)).toEqual(['revoked', ['removed']])
    expectAgreement(alices, bobs)
  })

  it('accepts nothing that was declined since', async () => {
    const { id } = await pair.share()
    alices.proxy.next('/ocm/notifications', 'hold')
    await pair.accept(id)
    await pair.decline(id)
    await settle(net.members, net.clock)
    expect(await alices.proxy.release()).toEqual([409])
    expect(await pair.states(id)).toEqual(['declined', ['declined']])
    expectAgreement(alices, bobs)
  })
})

describe('messages that cross', () => {
  it('a share that is taken back while it is offered ends', async () => {
    bobs.proxy.next('/ocm/shares', 'drop-answer')
    const sharing = pair.share()
    await seen(bobs.proxy, '/ocm/shares')
    const [open] = await alices.services().shares.listShares()
    const id = open?.id ?? ''
    await Promise.all([sharing, pair.revoke(id)])
    await settle(net.members, net.clock)
    expect(await pair.states(id)).toEqual(['revoked', ['removed']])
    expectAgreement(alices, bobs)
  })

  it('a share that is taken back the moment it has arrived ends', async () => {
    let revoking: Promise<unknown> | undefined
    alices.services().events.onAny((name, fact) => {
      // Said while it is being recorded: who looks now does not see it yet.
      if (name === 'share.sent') revoking ??= pair.revoke((fact as { shareId: string }).shareId)
    })
    const { id } = await pair.share()
    await revoking
    await settle(net.members, net.clock)
    expect(await pair.states(id)).toEqual(['revoked', ['removed']])
    expectAgreement(alices, bobs)
  })

  it.each(['accept', 'decline', 'remove'] as const)(
    '%s while it is taken back: it ends, for both',
    async (verb) => {
      const { id } = await pair.share()
      for (const { proxy } of [alices, bobs]) proxy.next('/ocm/notifications', 'reset', 'error')
      await pair[verb](id)
      await pair.revoke(id)
      await settle(net.members, net.clock)
      const [here, [there]] = await pair.states(id)
      expect(['revoked', 'declined']).toContain(here)
      expect(there).toBe(verb === 'decline' ? 'declined' : 'removed')
      expectAgreement(alices, bobs)
    },
  )

  it('an acceptance overtakes the answer that was lost, and the share is not offered again', async () => {
    const { invite } = await bobs.services().invites.create(bobs.user)
    await alices.services().invites.accept(alices.user, invite)
    bobs.proxy.next('/ocm/shares', 'reset-answer')
    const { id } = await pair.share()
    expect(await pair.states(id)).toEqual(['pending', ['accepted']])
    await bobs.services().outbox.runDue()
    expect(await pair.states(id)).toEqual(['accepted', ['accepted']])
    await settle(net.members, net.clock)
    expectAgreement(alices, bobs)
    const offers = bobs.proxy.passages.filter(({ path }) => path === '/ocm/shares')
    expect(offers).toHaveLength(1)
    await pair.revoke(id)
    expect(await pair.states(id)).toEqual(['revoked', ['removed']])
    expectAgreement(alices, bobs)
  })
})
