import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { runLitmus, verdictsOf } from './litmus/run.ts'
import { startLitmusServer, whos, type LitmusServer } from './litmus/server.ts'

/** litmus 0.13, every suite of it. */
const complete = [
  { suite: 'basic', run: 16, passed: 16, warnings: 0 },
  { suite: 'copymove', run: 13, passed: 13, warnings: 0 },
  { suite: 'props', run: 30, passed: 30, warnings: 0 },
  { suite: 'locks', run: 41, passed: 41, warnings: 0 },
  { suite: 'http', run: 4, passed: 4, warnings: 0 },
]

let server: LitmusServer

beforeAll(async () => {
  server = await startLitmusServer()
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

describe('litmus', () => {
  it.each(whos)(
    'passes all 104 tests without a warning for a %s',
    async (who) => {
      const transcript = await runLitmus(server.targets[who], server.scratch)
      // The transcript is what a failure is understood from.
      expect(transcript).not.toMatch(/FAIL|WARNING|SKIPPED/)
      expect(verdictsOf(transcript)).toEqual(complete)
    },
    120_000,
  )
})
