import { describe, expect, it } from '@jest/globals'
import { setImmediate as turn } from 'node:timers/promises'
import { createServedTurns } from '../../../src/workers/served-turns.ts'

/** Turns, and who has got one so far. */
function stage() {
  const turns = createServedTurns()
  const granted: string[] = []
  return {
    turns,
    granted,
    async take(owner: number, id: number, ...keys: string[]): Promise<void> {
      turns.take(owner, id, keys, () => granted.push(`${owner}/${id}`))
      await turn()
    },
  }
}

describe('turns over processes', () => {
  it('go to one at a time for each key, in the order of asking', async () => {
    const { turns, granted, take } = stage()
    await take(1, 1, 'a')
    await take(2, 1, 'a', 'b')
    await take(1, 2, 'c')
    expect(granted).toEqual(['1/1', '1/2'])
    turns.give(1, 1)
    await turn()
    expect(granted).toEqual(['1/1', '1/2', '2/1'])
  })

  it('of a dead process stay taken until they are freed, and it gets no more', async () => {
    const { turns, granted, take } = stage()
    await take(1, 1, 'a', 'b')
    await take(1, 2, 'a')
    await take(2, 1, 'a')
    expect(turns.heldBy(1)).toEqual(['a', 'b'])
    await turn()
    expect(granted).toEqual(['1/1'])
    turns.free(1)
    await turn()
    expect(granted).toEqual(['1/1', '2/1'])
  })
})
