import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { expectAgreement } from '../../support/agreement.ts'
import { federation, settle, type Federation, type Member } from '../../support/federation.ts'
import { pairOf } from '../../support/pair.ts'

let net: Federation
let alices: Member
let bobs: Member
let carols: Member

beforeEach(async () => {
  net = await federation(3)
  ;[alices, bobs, carols] = net.members as [Member, Member, Member]
})

afterEach(() => net.close())

const offersTo = ({ proxy }: Member): number =>
  proxy.passages.filter(({ path }) => path === '/ocm/shares').length

const owed = () => alices.services().outbox.list()

describe('one peer is dead', () => {
  it('and the others hear at once, however much it is owed', async () => {
    const [toBob, toCarol] = [pairOf(alices, bobs), pairOf(alices, carols)]
    for (const { proxy } of [bobs, carols]) proxy.always(() => 'reset')
    for (const pair of [toBob, toCarol]) {
      await pair.share().catch(() => undefined)
    }
    expect(await alices.services().shares.listShares()).toEqual([])
    net.heal()
    // Both are known from here on, and neither takes anything.
    const refuse = (path: string) => (path === '/ocm/shares' ? 'busy' : undefined)
    for (const { proxy } of [bobs, carols]) proxy.always(refuse)
    const ids: string[] = []
    for (const pair of [toCarol, toCarol, toBob, toCarol, toBob]) ids.push((await pair.share()).id)
    expect(await owed()).toHaveLength(5)

    net.heal()
    carols.proxy.always(() => 'drop')
    const order: string[] = []
    alices.services().events.onAny((name, fact) => {
      if (name.startsWith('outbox.')) order.push(`${name} ${(fact as { peer: string }).peer}`)
    })
    net.clock.advance('5m')
    await alices.services().outbox.runDue()
    // Each of carol's is waited for in full; bob's are not.
    expect(order.slice(0, 2)).toEqual(Array(2).fill(`outbox.delivered ${bobs.authority}`))
    expect(order.slice(2)).toEqual(Array(3).fill(`outbox.delayed ${carols.authority}`))
    expectAgreement(alices, bobs)

    net.heal()
    await settle(net.members, net.clock)
    expectAgreement(alices, carols)
    expect(await alices.services().shares.listShares()).toHaveLength(ids.length)
  })

  it('and is spared after five failures, until a probe says that it is back', async () => {
    const { share } = pairOf(alices, carols)
    carols.proxy.always((path) => (path === '/ocm/shares' ? 'error' : undefined))
    const ids = [(await share()).id, (await share()).id, (await share()).id]
    for (let round = 0; offersTo(carols) < 5 && round < 10; round += 1) {
      net.clock.advance('10s')
      await alices.services().outbox.runDue()
    }
    const { breaker } = await alices.services().peers.show(carols.authority)
    expect(breaker).toMatchObject({ state: 'open' })
    const before = carols.proxy.passages.length
    net.clock.advance('5s')
    await alices.services().outbox.runDue()
    expect(carols.proxy.passages).toHaveLength(before)
    // Nobody else is held up.
    const { id } = await pairOf(alices, bobs).share()
    expect(await pairOf(alices, bobs).states(id)).toEqual(['sent', ['pending']])

    net.heal()
    await settle(net.members, net.clock)
    for (const one of ids) {
      expect(await pairOf(alices, carols).states(one)).toEqual(['sent', ['pending']])
    }
    expectAgreement(alices, carols)
    expectAgreement(alices, bobs)
  })
})

describe('a final no', () => {
  it('is not asked again, and yes is believed later', async () => {
    await carols.services().peers.setTrust(alices.authority, 'denied')
    const { share, states } = pairOf(alices, carols)
    const { id } = await share()
    expect(await states(id)).toEqual(['failed', []])
    expect(await owed()).toMatchObject([{ state: 'refused', attempts: 1 }])
    const asked = carols.proxy.passages.length
    for (const by of ['1m', '1h', '1d', '20d']) {
      net.clock.advance(by)
      await alices.services().outbox.runDue()
    }
    expect(carols.proxy.passages).toHaveLength(asked)

    await carols.services().peers.setTrust(alices.authority, 'allowed')
    await alices.services().shares.send(id)
    await settle(net.members, net.clock)
    expect(await states(id)).toEqual(['sent', ['pending']])
    expectAgreement(alices, carols)
  })

  it('to a share holds up nothing of the others', async () => {
    const { share, accept, states } = pairOf(alices, carols)
    const { id } = await share()
    await carols.services().peers.setTrust(alices.authority, 'denied')
    const refused = await share()
    expect(refused.state).toBe('failed')
    await carols.services().peers.setTrust(alices.authority, 'allowed')
    await accept(id)
    await settle(net.members, net.clock)
    expect(await states(id)).toEqual(['accepted', ['accepted']])
    await alices.services().shares.revokeShare(refused.id)
    expectAgreement(alices, carols)
  })
})

it('a share to each of two servers is two shares', async () => {
  const [toBob, toCarol] = [pairOf(alices, bobs), pairOf(alices, carols)]
  const [one, other] = [await toBob.share(), await toCarol.share()]
  await toBob.accept(one.id)
  await toCarol.decline(other.id)
  await toBob.revoke(one.id)
  await settle(net.members, net.clock)
  expect(await toBob.states(one.id)).toEqual(['revoked', ['removed']])
  expect(await toCarol.states(other.id)).toEqual(['declined', ['declined']])
  for (const [first, second] of [
    [alices, bobs],
    [alices, carols],
    [bobs, carols],
  ] as const) {
    expectAgreement(first, second)
  }
})
