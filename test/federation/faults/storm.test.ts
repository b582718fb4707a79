import { expect, it, jest } from '@jest/globals'
import { expectAgreement } from '../../support/agreement.ts'
import type { Fault } from '../../support/faults.ts'
import { federation, settle, type Member } from '../../support/federation.ts'
import { pairOf } from '../../support/pair.ts'

jest.setTimeout(60_000)

/** The same weather for the same seed (mulberry32). */
function weather(seed: number) {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const oneOf = <T>(choices: readonly T[]): T => choices[Math.floor(next() * choices.length)] as T
  return { next, oneOf }
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

const seeds = process.env['SEEDS']?.split('-').map(Number) ?? [1, 4]
it.each(
  Array.from({ length: (seeds[1] ?? 0) - (seeds[0] ?? 0) + 1 }, (_, k) => k + (seeds[0] ?? 0)),
)('three servers agree after any storm (%i)', async (seed) => {
  await using net = await federation(3, { outbound: { timeoutMs: 300 } })
  const { next, oneOf } = weather(seed)
  const { members, clock } = net
  // Discovery once in peace: what fails there creates nothing at all.
  const pairs = members.flatMap((giver) =>
    members.filter((taker) => taker !== giver).map((taker) => pairOf(giver, taker)),
  )
  const given: { pair: ReturnType<typeof pairOf>; id: string }[] = []
  for (const pair of pairs) given.push({ pair, id: (await pair.share()).id })
  for (const { proxy } of members) {
    proxy.always((path) => {
      if (!path.startsWith('/ocm/') || next() < 0.4) return undefined
      // Few are held, since each is waited for.
      const fault = oneOf(faults)
      return fault === 'hold' && next() < 0.7 ? 'reset' : fault
    })
  }
  /** What cannot be done is not: to what is over, has not arrived, or to a peer that rests. */
  async function act(): Promise<void> {
    if (next() < 0.3) {
      const pair = oneOf(pairs)
      const share = await pair.share().catch(() => undefined)
      if (share) given.push({ pair, id: share.id })
    } else {
      const { pair, id } = oneOf(given)
      await pair[oneOf(verbs)](id).catch(() => undefined)
    }
  }
  for (let step = 0; step < 20; step += 1) {
    await Promise.all([act(), act()])
    if (next() < 0.3) clock.advance('7s')
    if (next() < 0.4) await oneOf(members).services().outbox.runDue()
    if (next() < 0.2) await oneOf(members).proxy.release()
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
