import { afterEach, describe, expect, it } from '@jest/globals'
import { eq } from 'drizzle-orm'
import { inTransaction, incomingShares } from '../../../src/db/index.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { mountsStage, type Stage } from './stage.ts'

const hourMs = 3_600_000

let stage: Stage
afterEach(() => stage[Symbol.asyncDispose]())

/** A mount over a directory of bob's own. */
async function hide(startAt: number): Promise<void> {
  stage = await mountsStage({}, { clock: fakeClock(startAt) })
  await stage.server.addFile('bob', 'Shared/Trip/mine', 'mine')
  await stage.mount('Trip')
  expect((await stage.files.get('Shared/Trip/mine')).status).toBe(404)
}

const remove = async (path: string): Promise<number> => (await stage.files.remove(path)).status

const endBySender = (): Promise<void> =>
  inTransaction(stage.server.services().db, async (tx) => {
    const ended = { state: 'removed', mountName: null } as const
    await tx.update(incomingShares).set(ended).where(eq(incomingShares.id, 'rcv-Trip'))
  })

describe("DELETE of a mount that hides something of the user's own", () => {
  it('takes only the mount, however often it comes', async () => {
    await hide(Date.now() + hourMs)
    expect(await remove('Shared/Trip')).toBe(204)
    expect(await remove('Shared/Trip')).toBe(404)
    expect((await stage.files.get('Shared/Trip/mine')).text).toBe('mine')
    stage.server.clock.advance('10m')
    expect(await remove('Shared/Trip')).toBe(204)
  })

  it('takes nothing when the sender was faster, nor does one of something in it', async () => {
    await hide(Date.now() + hourMs)
    await endBySender()
    expect(await remove('Shared/Trip/mine')).toBe(404)
    expect(await remove('Shared/Trip')).toBe(404)
    expect((await stage.files.get('Shared/Trip/mine')).text).toBe('mine')
  })

  it('takes what is newer than the end of the mount', async () => {
    await hide(Date.now() - hourMs)
    await endBySender()
    expect(await remove('Shared/Trip')).toBe(204)
  })
})
