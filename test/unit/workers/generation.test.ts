import { describe, expect, it } from '@jest/globals'
import { createGeneration, prepareGenerations } from '../../../src/workers/generation.ts'
import { tempDir } from '../../support/temp-dir.ts'

describe('generations over processes', () => {
  it('move when another has changed something, and not by our own changes', async () => {
    await using folder = await tempDir()
    prepareGenerations(folder.path, 4)
    const [one, other] = [0, 3].map((slot) => createGeneration(folder.path, slot))
    if (!one || !other) throw new Error('two were made')
    const [before, theirs] = [one.current(), other.current()]
    one.bump()
    expect(one.current()).toBe(before)
    expect(other.current()).not.toBe(theirs)
    const seen = other.current()
    expect(other.current()).toBe(seen)
    other.bump()
    expect(one.current()).not.toBe(before)
    expect(other.current()).toBe(seen)
  })

  it('go on where a dead process has left off', async () => {
    await using folder = await tempDir()
    prepareGenerations(folder.path, 2)
    const watcher = createGeneration(folder.path, 1)
    createGeneration(folder.path, 0).bump()
    const seen = watcher.current()
    createGeneration(folder.path, 0).bump()
    expect(watcher.current()).not.toBe(seen)
  })
})
