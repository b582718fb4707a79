import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { expectAgreement } from '../../support/agreement.ts'
import { federation, settle, type Federation, type Member } from '../../support/federation.ts'
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

const faults = [
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
] as const

/** Done to a share that has arrived, or been accepted before; what both sides have in the end. */
interface Action {
  readonly name: string
  /** Whose server hears of it. */
  readonly to: 'alice' | 'bob'
  readonly accepted?: boolean
  readonly verb: 'accept' | 'decline' | 'remove' | 'revoke'
  readonly end: readonly [here: string, there: string[]]
}

const actions: readonly Action[] = [
  { name: 'accepting', to: 'alice', verb: 'accept', end: ['accepted', ['accepted']] },
  { name: 'declining', to: 'alice', verb: 'decline', end: ['declined', ['declined']] },
  {
    name: 'removing what was accepted',
    to: 'alice',
    accepted: true,
    verb: 'remove',
    end: ['declined', ['removed']],
  },
  { name: 'revoking before an answer', to: 'bob', verb: 'revoke', end: ['revoked', ['removed']] },
  {
    name: 'revoking what was accepted',
    to: 'bob',
    accepted: true,
    verb: 'revoke',
    end: ['revoked', ['removed']],
  },
]

describe('sharing', () => {
  it.each(faults)('%s: there is one share, once', async (fault) => {
    bobs.proxy.next('/ocm/shares', fault)
    const { id } = await pair.share()
    await settle(net.members, net.clock)
    expect(await pair.states(id)).toEqual(['sent', ['pending']])
    expectAgreement(alices, bobs)
    expect(bobs.proxy.passages.find(({ path }) => path === '/ocm/shares')?.fault).toBe(fault)
  })
})

describe.each(actions)('$name', ({ to, accepted, verb, end }) => {
  it.each(faults)('%s: both sides know', async (fault) => {
    const { id } = await pair.share()
    if (accepted) await pair.accept(id)
    net.heal()
    const { proxy } = to === 'alice' ? alices : bobs
    proxy.next('/ocm/notifications', fault)
    await pair[verb](id)
    await settle(net.members, net.clock)
    expect(await pair.states(id)).toEqual(end)
    expectAgreement(alices, bobs)
    expect(proxy.passages.find(({ path }) => path === '/ocm/notifications')?.fault).toBe(fault)
  })
})
