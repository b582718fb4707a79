import { expect, it, jest } from '@jest/globals'
import { expectAgreement } from '../../support/agreement.ts'
import { chanceOf } from '../../support/chance.ts'
import type { Fault } from '../../support/faults.ts'
import { federation, settle, type Member } from '../../support/federation.ts'
import { pairOf } from '../../support/pair.ts'

jest.setTimeout(60_000)

function chance(seed: number) {
  const draw = chanceOf(seed)
  return {
    /** True so often. */
    happens: (share: number): boolean => draw(2 ** 32) / 2 ** 32 < share,
    oneOf: <T>(choices: readonly T[]): T => choices[draw(choices.length)] as T,
  }
}

const faults: readonly Fault[] = [
  'reset',
  'reset-answer',
  'error',
  'busy',
  'bad-gateway',
  'garbage',
  'noise',
  'truncate',
  'duplicate',
  'twins',
  'hold',
]

const verbs = ['accept', 'accept', 'accept', 'decline', 'remove', 'revoke', 'revoke'] as const

/** What cannot be done is not: to what is over, has not arrived, or to a peer that rests. */
function tolerate(error: unknown): undefined {
  if (error instanceof TypeError) throw error
}

it.each([1, 2, 3, 4, 5])('three servers agree after any storm (%i)', async (seed) => {
  await using net = await federation(3, { outbound: { timeoutMs: 300 } })
  const { members, clock } = net
  const pairs = members.flatMap((giver) =>
    members.filter((taker) => taker !== giver).map((taker) => pairOf(giver, taker)),
  )
  const given: { pair: ReturnType<typeof pairOf>; id: string }[] = []
  // In peace, so that each knows the others: without discovery there is nothing to deliver.
  for (const pair of pairs) given.push({ pair, id: (await pair.share()).id })

  const weather = chance(-seed)
  for (const { proxy } of members) {
    proxy.always((path) => {
      if (!path.startsWith('/ocm/') || weather.happens(0.4)) return undefined
      const fault = weather.oneOf(faults)
      // Few are held, since each is waited for.
      return fault === 'hold' && weather.happens(0.7) ? 'reset' : fault
    })
  }
  const people = chance(seed)
  async function act(): Promise<void> {
    if (people.happens(0.3)) {
      const pair = people.oneOf(pairs)
      const share = await pair.share().catch(tolerate)
      if (share) given.push({ pair, id: share.id })
    } else {
      const { pair, id } = people.oneOf(given)
      await pair[people.oneOf(verbs)](id).catch(tolerate)
    }
  }
  for (let step = 0; step < 20; step += 1) {
    await Promise.all([act(), act()])
    if (people.happens(0.3)) clock.advance('7s')
    if (people.happens(0.4)) await people.oneOf(members).services().outbox.runDue()
    if (people.happens(0.2)) await people.oneOf(members).proxy.release()
    if (people.happens(0.1)) await people.oneOf(members).restart()
  }

  for (const { proxy } of members) {
    proxy.always(() => undefined)
    await proxy.release()
  }
  await settle(members, clock)
  const [alices, bobs, carols] = members as [Member, Member, Member]
  expectAgreement(alices, bobs)
  expectAgreement(alices, carols)
  expectAgreement(bobs, carols)
  const states = await Promise.all(given.map(async ({ pair, id }) => (await pair.states(id))[0]))
  expect(new Set(states).size).toBeGreaterThan(1)
})
