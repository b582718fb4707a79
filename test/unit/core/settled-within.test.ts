import { expect, it } from '@jest/globals'
import { settledWithin } from '../../../src/core/index.ts'

it('waits for all, however they end', async () => {
  const works = [Promise.resolve(), Promise.reject(new Error('failed'))]
  expect(await settledWithin(60_000, works)).toBe(true)
})

it('waits no longer than it may', async () => {
  expect(await settledWithin(10, [new Promise(() => undefined)])).toBe(false)
})
