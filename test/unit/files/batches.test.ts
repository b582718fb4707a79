import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { createBatchReader, type Batches } from '../../../src/files/local/batches.ts'

const kib = 1024
const mib = 1024 * kib
const chunk = Buffer.alloc(16 * kib)

/** A client that sends so much and then nothing more, without going away. */
function stopping(bytes: number) {
  const told = { pulled: 0, isOver: false }
  let rest = bytes
  const body: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next() {
        if (rest <= 0) return new Promise(() => undefined)
        rest -= chunk.length
        told.pulled += chunk.length
        return Promise.resolve({ value: chunk })
      },
      return() {
        told.isOver = true
        return Promise.resolve({ done: true, value: undefined })
      },
    }),
  }
  return { body, told }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await nextTurn()
}

describe('bodies that stop half-way', () => {
  it('have little waiting together, and nothing when they are released', async () => {
    const read = createBatchReader()
    let taken = 0
    const takeAll = async (batches: Batches): Promise<void> => {
      for (;;) {
        const { length } = await batches.next()
        taken += length
      }
    }
    const uploads = Array.from({ length: 400 }, () => stopping(496 * kib))
    const readers = uploads.map(({ body }) => read(body, Infinity))
    for (const reader of readers) void takeAll(reader)
    await settle()
    const pulled = uploads.reduce((sum, { told }) => sum + told.pulled, 0)
    expect(pulled).toBeGreaterThanOrEqual(400 * 496 * kib)
    expect(pulled - taken).toBeLessThan(32 * mib + uploads.length * (64 * kib + chunk.length))

    await Promise.all(readers.map((reader) => reader.release()))
    expect(uploads.every(({ told }) => told.isOver)).toBe(true)
    // Nothing counts as waiting any more: batches are large again.
    const { body } = stopping(2 * mib)
    expect((await read(body, Infinity).next()).length).toBe(512 * kib)
  })
})
