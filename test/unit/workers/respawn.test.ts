import { describe, expect, it } from '@jest/globals'
import { createRespawn } from '../../../src/workers/respawn.ts'

const long = 60_000

describe('replacing workers', () => {
  it('is immediate after a long life, however often', () => {
    const respawn = createRespawn()
    for (let i = 0; i < 20; i += 1) expect(respawn.afterDeath(long, false)).toBe(0)
  })

  it('slows down while they die at once, and gives up', () => {
    const respawn = createRespawn()
    const delays = Array.from({ length: 6 }, () => respawn.afterDeath(0, false))
    expect(delays).toEqual([0, 100, 200, 400, 800, 'give_up'])
  })

  it('forgives short lives after a long one', () => {
    const respawn = createRespawn()
    for (let i = 0; i < 4; i += 1) respawn.afterDeath(0, false)
    expect(respawn.afterDeath(long, false)).toBe(0)
    expect(respawn.afterDeath(0, false)).toBe(100)
  })

  it('never gives up while others serve, and tries every 30 s', () => {
    const respawn = createRespawn()
    const delays = Array.from({ length: 2000 }, () => respawn.afterDeath(0, true))
    expect(delays.slice(0, 6)).toEqual([0, 100, 200, 400, 800, 1600])
    expect(new Set(delays.slice(12))).toEqual(new Set([30_000]))
    expect(respawn.afterDeath(0, false)).toBe('give_up')
  })
})
