import { describe, expect, it } from '@jest/globals'
import { createEventHub } from '../../../src/core/index.ts'
import { limitsSchema } from '../../../src/config/limits.ts'
import { createRequestLimits, partOf } from '../../../src/request-limits.ts'

describe('a bound that several processes share', () => {
  it.each([
    [10, 1, 10],
    [10, 4, 2],
    [3, 4, 1],
  ])('%i over %i: %i each', (bound, processes, part) => {
    expect(partOf(bound, processes)).toBe(part)
  })

  it('is what each of them lets through', async () => {
    const limits = limitsSchema.parse({ discovery: { requests: 9 } })
    const { discovery } = createRequestLimits(limits, createEventHub(), 4)
    await discovery.spend('203.0.113.7')
    await discovery.spend('203.0.113.7')
    await expect(discovery.spend('203.0.113.7')).rejects.toMatchObject({ kind: 'too_many' })
  })
})
