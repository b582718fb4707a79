import { expect, it } from '@jest/globals'
import { freeMemory } from '../../../src/core/index.ts'

const mib = 1024 * 1024

it('frees what it is given at once', () => {
  const chunks = Array.from({ length: 512 }, () => Buffer.alloc(64 * 1024))
  const before = process.memoryUsage().arrayBuffers
  chunks.forEach(freeMemory)
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThan(31 * mib)
  expect(chunks.some(({ length }) => length > 0)).toBe(false)
})

it('leaves what shares its memory with others', () => {
  const whole = Buffer.alloc(128 * 1024, 'a')
  freeMemory(whole.subarray(0, 64 * 1024))
  freeMemory(whole.subarray(1))
  const pooled = Buffer.from('pooled')
  freeMemory(pooled)
  expect([whole.length, whole.at(-1), String(pooled)]).toEqual([128 * 1024, 97, 'pooled'])
})
