import { expect, it } from '@jest/globals'
import { createLogger } from '../../../src/core/index.ts'
import { insist } from '../../../src/workers/insist.ts'

const log = createLogger({ level: 'silent', format: 'json' })

function failing(times: number) {
  let calls = 0
  return {
    calls: () => calls,
    settle() {
      calls += 1
      return calls > times ? Promise.resolve() : Promise.reject(new Error('busy'))
    },
  }
}

it('settles again until it succeeds', async () => {
  const { settle, calls } = failing(2)
  await insist(settle, { log, isOver: () => false })
  expect(calls()).toBe(3)
})

it('leaves it to the next start when the server stops', async () => {
  const { settle, calls } = failing(2)
  await insist(settle, { log, isOver: () => true })
  expect(calls()).toBe(1)
})
