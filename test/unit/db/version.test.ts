import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { countCommits, type CommitCounter } from '../../../src/db/version.ts'

let reads: number
let commits: CommitCounter

beforeEach(() => {
  reads = 0
  commits = countCommits(() => ++reads)
})

describe('countCommits', () => {
  it('reads once for all questions of a turn, across their promises', async () => {
    const first = commits.current()
    await Promise.resolve()
    expect([first, commits.current(), reads]).toEqual([1, 1, 1])
  })

  it('reads again in the next turn', async () => {
    commits.current()
    await nextTurn()
    expect(commits.current()).toBe(2)
  })

  it('sees a commit of this process at once', () => {
    commits.current()
    commits.committed()
    expect(commits.current()).toBe(2)
  })
})
