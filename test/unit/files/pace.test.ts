import { beforeEach, describe, expect, it } from '@jest/globals'
import { createPace, type Pace } from '../../../src/files/local/pace.ts'

describe('work in place', () => {
  let now = 0
  let pace: Pace
  const take = (ms: number): void => pace.inPlace(() => void (now += ms))

  beforeEach(() => {
    now = 1000
    pace = createPace(4, () => now)
  })

  it('goes on while each takes no longer than is quick', () => {
    for (let count = 0; count < 1000; count += 1) take(4)
    expect(pace.isQuick()).toBe(true)
  })

  it('rests for a hundred times as long as something slow has taken', () => {
    take(5)
    expect(pace.isQuick()).toBe(false)
    now += 499
    expect(pace.isQuick()).toBe(false)
    now += 1
    expect(pace.isQuick()).toBe(true)
  })

  it('gives what the work gives, and notices that a failure was slow as well', () => {
    expect(pace.inPlace(() => 'done')).toBe('done')
    const failing = (): never => {
      now += 50
      throw new Error('a disk that dies')
    }
    expect(() => pace.inPlace(failing)).toThrow('a disk that dies')
    now += 4999
    expect(pace.isQuick()).toBe(false)
  })
})
