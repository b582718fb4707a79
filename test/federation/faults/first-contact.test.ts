import { describe, expect, it } from '@jest/globals'
import { expectAgreement } from '../../support/agreement.ts'
import { federation, settle, type Member } from '../../support/federation.ts'
import { pairOf } from '../../support/pair.ts'

const faults = ['drop', 'reset', 'error', 'busy', 'garbage', 'noise', 'truncate'] as const

/** Nothing is remembered yet of either, so both ask who the other is. */
describe('servers that have never met', () => {
  it.each(faults)('%s where the keys are: the offer waits', async (fault) => {
    await using net = await federation(2)
    const [alices, bobs] = net.members as [Member, Member]
    alices.proxy.next('/.well-known/jwks.json', fault)
    const { share, states } = pairOf(alices, bobs)
    const { id } = await share()
    expect(await states(id)).toEqual(['pending', []])
    await settle(net.members, net.clock)
    expect(await states(id)).toEqual(['sent', ['pending']])
    expectAgreement(alices, bobs)
  })

  it.each(faults)('%s where discovery is: nothing is shared, and again it is', async (fault) => {
    await using net = await federation(2)
    const [alices, bobs] = net.members as [Member, Member]
    bobs.proxy.always((path) => (path.startsWith('/ocm/') ? undefined : fault))
    const { share, states } = pairOf(alices, bobs)
    await expect(share()).rejects.toMatchObject({ kind: 'upstream' })
    expect(await alices.services().shares.listShares()).toEqual([])
    net.heal()
    const { id } = await share()
    expect(await states(id)).toEqual(['sent', ['pending']])
    expectAgreement(alices, bobs)
  })
})
