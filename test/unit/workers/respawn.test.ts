import { describe, expect, it } from '@jest/globals'
import { createRespawn } from '../../../src/workers/respawn.ts'

const long = 60_000

describe('replacing workers', () => {
  it('is immediate after a long life, however often', () => {
    const respawn = createRespawn()
    for (let i = 0; i < 20; i += 1) expect(respawn.afterDeath(long)).toBe(0)
  })

  it('slows down while they die at once, and gives up', () => {
    const respawn = createRespawn()
    const delays = Array.from({ length: 6 }, () => respawn.afterDeath(0))
    expect(delays).toEqual([0, 100, 200, 400, 800, 'give_up'])
  })

  it('forgives short lives after a long one', () => {
    const respawn = createRespawn()
    for (let i = 0; i < 4; i += 1) respawn.afterDeath(0)
    expect(respawn.afterDeath(long)).toBe(0)
    expect(respawn.afterDeath(0)).toBe(100)
  })
})
