import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { FaultPoint } from '../../../src/core/index.ts'
import { settleSites, site, type Site } from './sites.ts'

/** Each case starts built processes. */
jest.setTimeout(120_000)

let owners: Site
let askers: Site
let carols: Site

beforeAll(async () => {
  ;[owners, askers, carols] = await Promise.all([site(), site(), site()])
})

afterAll(async () => {
  for (const one of [owners, askers, carols]) await one[Symbol.asyncDispose]()
})

beforeEach(async () => {
  await Promise.all([owners.revive(), askers.revive(), carols.revive()])
})

/** A new share, and the id that it has where it may be passed on. */
async function given(): Promise<{ shareId: string; incomingId: string }> {
  const { id: shareId } = await owners.beside(({ shares }) =>
    shares.createShare({
      owner: 'alice',
      path: '/Holiday',
      recipient: askers.address,
      permissions: ['read', 'share'],
    }),
  )
  const incomingId = await askers.beside(async ({ incoming }) => {
    const id = (await incoming.findOffers(shareId))[0]?.id ?? 'nothing'
    await incoming.accept(id)
    return id
  })
  return { shareId, incomingId }
}

const passOn = (incomingId: string) =>
  askers.beside(({ reshares }) => reshares.request('alice', incomingId, carols.address))

/** What all three have of a share that is passed on. */
async function story(shareId: string, incomingId: string) {
  const asked = (await askers.beside(({ reshares }) => reshares.list()))
    .filter((one) => one.incomingShareId === incomingId)
    .map(({ state }) => state)
  const children = (await owners.beside(({ shares }) => shares.listShares())).filter(
    ({ parentId }) => parentId === shareId,
  )
  const ids = children.map(({ id }) => id)
  const received = (await carols.beside(({ incoming }) => incoming.list()))
    .filter(({ providerId }) => ids.includes(providerId))
    .map(({ state }) => state)
  return { asked, given: children.map(({ state }) => state), received }
}

const passedOn = { asked: ['granted'], given: ['sent'], received: ['pending'] }
const takenBack = { asked: ['undone'], given: ['revoked'], received: ['removed'] }

const steps: readonly FaultPoint[] = ['reshare.committed', 'outbox.claimed', 'outbox.posted']

describe('a share is passed on once', () => {
  it.each(steps)('when who asks is killed at %s', async (point) => {
    const { shareId, incomingId } = await given()
    await askers.dieDoing(`${point}:kill`, 'pass-on', incomingId, carols.address)
    await settleSites(owners, askers, carols)
    expect(await story(shareId, incomingId)).toEqual(passedOn)
  })

  it.each(steps)('when its owner is killed at %s', async (point) => {
    const { shareId, incomingId } = await given()
    await owners.start(`${point}:kill`)
    await passOn(incomingId)
    await owners.dies()
    await owners.start()
    await settleSites(owners, askers, carols)
    expect(await story(shareId, incomingId)).toEqual(passedOn)
  })
})

describe('a share that was passed on is taken back', () => {
  it('when its owner is killed as soon as it has heard of it', async () => {
    const { shareId, incomingId } = await given()
    const { id } = await passOn(incomingId)
    await settleSites(owners, askers, carols)
    await owners.start('notification.committed:kill')
    await askers.beside(({ reshares }) => reshares.undo(id))
    await owners.dies()
    await owners.start()
    await settleSites(owners, askers, carols)
    expect(await story(shareId, incomingId)).toEqual(takenBack)
  })
})
