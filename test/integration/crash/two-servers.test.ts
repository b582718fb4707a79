import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { FaultPoint } from '../../../src/core/index.ts'
import { laterMs, settleSites, site, type Site, type Verb } from './sites.ts'

/** Each case starts built processes. */
jest.setTimeout(120_000)

let alices: Site
let bobs: Site

beforeAll(async () => {
  ;[alices, bobs] = await Promise.all([site(), site()])
})

afterAll(async () => {
  for (const one of [alices, bobs]) await one[Symbol.asyncDispose]()
})

beforeEach(async () => {
  await Promise.all([alices.revive(), bobs.revive()])
})

const share = () =>
  alices.beside(({ shares }) =>
    shares.createShare({ owner: 'alice', path: '/Holiday', recipient: bobs.address }),
  )

/** Bob's id of a share. */
const received = (id: string): Promise<string> =>
  bobs.beside(async ({ incoming }) => (await incoming.findOffers(id))[0]?.id ?? 'nothing')

const states = async (id: string) => [
  await alices.beside(async ({ shares }) => (await shares.getShare(id)).state),
  await bobs.beside(async ({ incoming }) =>
    (await incoming.findOffers(id)).map(({ state }) => state),
  ),
]

const newest = (): Promise<string> =>
  alices.beside(async ({ shares }) => (await shares.listShares())[0]?.id ?? 'nothing')

interface Step {
  readonly verb: Verb
  readonly committed: FaultPoint
  /** Both states in the end. */
  readonly end: readonly [here: string, there: string[]]
}

const steps: readonly Step[] = [
  { verb: 'share', committed: 'share.committed', end: ['sent', ['pending']] },
  { verb: 'accept', committed: 'answer.committed', end: ['accepted', ['accepted']] },
  { verb: 'decline', committed: 'answer.committed', end: ['declined', ['declined']] },
  { verb: 'revoke', committed: 'revocation.committed', end: ['revoked', ['removed']] },
]

const deliveryPoints = ['outbox.claimed', 'outbox.posted', 'outbox.settled'] as const

/** Who does it, and to what; a new share is what it is about afterwards. */
async function begin(verb: Verb): Promise<{ actor: Site; args: string[]; id(): Promise<string> }> {
  if (verb === 'share') return { actor: alices, args: [bobs.address], id: newest }
  const { id } = await share()
  const isAlices = verb === 'revoke'
  const args = [isAlices ? id : await received(id)]
  return { actor: isAlices ? alices : bobs, args, id: () => Promise.resolve(id) }
}

describe.each(steps)('who sends is killed: $verb', ({ verb, committed, end }) => {
  it.each([committed, 'outbox.claimed', 'outbox.posted'] as const)(
    'at %s: it is told, once',
    async (point) => {
      const { actor, args, id } = await begin(verb)
      await actor.dieDoing(`${point}:kill`, verb, ...args)
      await settleSites(alices, bobs)
      expect(await states(await id())).toEqual(end)
    },
  )

  it('a server that takes it over and is killed at every step: it is told, once', async () => {
    const { actor, args, id } = await begin(verb)
    await actor.stop()
    await actor.dieDoing(`${committed}:kill`, verb, ...args)
    for (const point of deliveryPoints) {
      await actor.start(`${point}:kill`)
      await actor.dies()
    }
    await actor.start()
    await settleSites(alices, bobs)
    expect(await states(await id())).toEqual(end)
  })
})

describe('who is told is killed when it has recorded it', () => {
  it('a share is there once', async () => {
    await bobs.start('received.committed:kill')
    const { id, state } = await share()
    await bobs.dies()
    expect(state).toBe('pending')
    await bobs.start()
    await settleSites(alices, bobs)
    expect(await states(id)).toEqual(['sent', ['pending']])
  })

  it.each(steps.slice(1))('$verb is heard once', async ({ verb, end }) => {
    const { actor, args, id } = await begin(verb)
    const other = actor === alices ? bobs : alices
    await other.start('notification.committed:kill')
    await actor.beside(async ({ shares, incoming }) => {
      const [about = ''] = args
      if (verb === 'revoke') await shares.revokeShare(about)
      else if (verb === 'accept') await incoming.accept(about)
      else await incoming.decline(about)
    })
    await other.dies()
    await other.start()
    await settleSites(alices, bobs)
    expect(await states(await id())).toEqual(end)
  })
})

describe('an invite', () => {
  const contactsOf = (one: Site) => one.beside(({ contacts }) => contacts.list('alice'), laterMs)

  it('that was used by a server killed before it knew is used again, to the same end', async () => {
    const { invite } = await alices.beside(({ invites }) => invites.create('alice'))
    await bobs.dieDoing('invite.answered:kill', 'use-invite', invite)
    expect(await contactsOf(bobs)).toEqual([])
    await bobs.beside(({ invites }) => invites.accept('alice', invite))
    await settleSites(alices, bobs)
    expect(await contactsOf(alices)).toHaveLength(1)
    expect(await contactsOf(bobs)).toHaveLength(1)
  })

  it('of a server killed before it answered is used again, to the same end', async () => {
    for (const [one, friend] of [
      [alices, bobs],
      [bobs, alices],
    ] as const) {
      await one.beside(({ contacts }) => contacts.remove('alice', friend.address))
    }
    const { invite } = await alices.beside(({ invites }) => invites.create('alice'))
    await alices.start('invite.committed:kill')
    const using = bobs.beside(({ invites }) => invites.accept('alice', invite))
    await expect(using).rejects.toThrow()
    await alices.dies()
    await alices.start()
    await bobs.beside(({ invites }) => invites.accept('alice', invite))
    await settleSites(alices, bobs)
    expect(await contactsOf(alices)).toHaveLength(1)
    expect(await contactsOf(bobs)).toHaveLength(1)
  })
})
