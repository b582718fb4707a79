import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { expectAgreement } from '../../support/agreement.ts'
import type { Fault } from '../../support/faults.ts'
import { federation, settle, type Federation, type Member } from '../../support/federation.ts'

let net: Federation
let alices: Member
let bobs: Member

beforeAll(async () => {
  net = await federation(2)
  ;[alices, bobs] = net.members as [Member, Member]
})

afterAll(() => net.close())

beforeEach(() => net.heal())

const share = () =>
  alices.services().shares.createShare({
    owner: alices.user,
    path: '/Holiday',
    recipient: bobs.address,
  })

const stateAt = async (id: string) => {
  const there = (await bobs.services().incoming.findOffers(id)).map(({ state }) => state)
  return { here: (await alices.services().shares.getShare(id)).state, there }
}

const received = async (id: string): Promise<string> => {
  const [row] = await bobs.services().incoming.findOffers(id)
  if (row === undefined) throw new Error('not received')
  return row.id
}

const faults: readonly Fault[] = [
  'drop',
  'drop-answer',
  'reset',
  'reset-answer',
  'delay',
  'error',
  'busy',
  'bad-gateway',
  'garbage',
  'noise',
  'truncate',
  'duplicate',
  'twins',
]

/** Done to a share that has arrived, or been accepted before; what both sides have in the end. */
interface Action {
  readonly name: string
  readonly to: 'alices' | 'bobs'
  readonly accepted: boolean
  act(id: string): Promise<unknown>
  readonly end: { here: string; there: string[] }
}

const actions: readonly Action[] = [
  {
    name: 'accepting',
    to: 'alices',
    accepted: false,
    act: async (id) => bobs.services().incoming.accept(await received(id)),
    end: { here: 'accepted', there: ['accepted'] },
  },
  {
    name: 'declining',
    to: 'alices',
    accepted: false,
    act: async (id) => bobs.services().incoming.decline(await received(id)),
    end: { here: 'declined', there: ['declined'] },
  },
  {
    name: 'removing what was accepted',
    to: 'alices',
    accepted: true,
    act: async (id) => bobs.services().incoming.remove(await received(id)),
    end: { here: 'declined', there: ['removed'] },
  },
  {
    name: 'revoking before an answer',
    to: 'bobs',
    accepted: false,
    act: (id) => alices.services().shares.revokeShare(id),
    end: { here: 'revoked', there: ['removed'] },
  },
  {
    name: 'revoking what was accepted',
    to: 'bobs',
    accepted: true,
    act: (id) => alices.services().shares.revokeShare(id),
    end: { here: 'revoked', there: ['removed'] },
  },
]

describe('sharing', () => {
  it.each(faults)('%s: there is one share, once', async (fault) => {
    bobs.proxy.next('/ocm/shares', fault)
    const { id } = await share()
    await settle(net.members, net.clock)
    expect(await stateAt(id)).toEqual({ here: 'sent', there: ['pending'] })
    expectAgreement(alices, bobs)
    const posts = bobs.proxy.passages.filter(({ path }) => path === '/ocm/shares')
    expect(posts[0]?.fault).toBe(fault)
  })
})

describe.each(actions)('$name', ({ to, accepted, act, end }) => {
  it.each(faults)('%s: both sides know', async (fault) => {
    const { id } = await share()
    if (accepted) await bobs.services().incoming.accept(await received(id))
    const { proxy } = to === 'alices' ? alices : bobs
    proxy.next('/ocm/notifications', fault)
    await act(id)
    await settle(net.members, net.clock)
    expect(await stateAt(id)).toEqual(end)
    expectAgreement(alices, bobs)
    const told = proxy.passages.filter(({ path }) => path === '/ocm/notifications')
    expect(told.some((passage) => passage.fault === fault)).toBe(true)
  })
})
