import { expect } from '@jest/globals'
import { AppError } from '../../../src/core/index.ts'

/**
 * Runs a parser on hostile input: it may throw `AppError` only, and the best of three runs must be
 * quick. Processor time is what counts: waiting for a busy machine is not the parser's fault.
 */
export function expectTame(parse: () => unknown, withinMs = 50): void {
  let best = Infinity
  for (let run = 0; run < 3 && best >= withinMs; run++) {
    const before = process.cpuUsage()
    try {
      parse()
    } catch (error) {
      expect(error).toBeInstanceOf(AppError)
    }
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / 1000)
  }
  expect(best).toBeLessThan(withinMs)
}
