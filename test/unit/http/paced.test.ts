import { describe, expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { paced, type Pace } from '../../../src/http/index.ts'

const tooSlow = () => new Error('too slow')
const patient = 60_000

async function* parts(count: number, bytes: number, everyMs: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index += 1) {
    if (everyMs > 0) await sleep(everyMs)
    yield new Uint8Array(bytes)
  }
}

async function readAll(
  source: AsyncIterable<Uint8Array>,
  pace: Partial<Pace>,
  restMs = 0,
): Promise<number> {
  let size = 0
  const whole = { idleMs: patient, minBytesPerSecond: 0, windowMs: patient, ...pace }
  for await (const part of paced(source, { pace: whole, tooSlow })) {
    size += part.length
    if (restMs > 0) await sleep(restMs)
  }
  return size
}

describe('a source that must not come too slowly', () => {
  it('passes on what comes', async () => {
    expect(await readAll(parts(10, 100, 0), { idleMs: 1000 })).toBe(1000)
  })

  it('fails in silence, and does not wait for its end', async () => {
    const silent = async function* () {
      yield new Uint8Array(1)
      await new Promise(() => undefined)
    }
    await expect(readAll(silent(), { idleMs: 50 })).rejects.toThrow('too slow')
  })

  it('fails when it only drips', async () => {
    const pace = { windowMs: 100, minBytesPerSecond: 10_000 }
    await expect(readAll(parts(1000, 1, 10), pace)).rejects.toThrow('too slow')
  })

  it('may be slow as long as it brings enough', async () => {
    const pace = { windowMs: 100, minBytesPerSecond: 1 }
    expect(await readAll(parts(20, 1000, 20), pace)).toBe(20_000)
  })

  it('is not held to a time in which nobody asks it', async () => {
    const pace = { idleMs: 40, windowMs: 40, minBytesPerSecond: 1_000_000 }
    expect(await readAll(parts(5, 10, 0), pace, 100)).toBe(50)
  })

  it('passes on its failure, and is ended by its reader', async () => {
    let isEnded = false
    const source = async function* () {
      try {
        yield new Uint8Array(1)
        yield new Uint8Array(1)
      } finally {
        isEnded = true
        await sleep(1)
      }
    }
    const pace = { idleMs: patient, windowMs: patient, minBytesPerSecond: 0 }
    for await (const part of paced(source(), { pace, tooSlow })) if (part.length === 1) break
    expect(isEnded).toBe(true)
    const failing = async function* () {
      yield new Uint8Array(await Promise.reject(new Error('gone')))
    }
    await expect(readAll(failing(), {})).rejects.toThrow('gone')
  })

  it('lets every part be judged', async () => {
    const pace = { idleMs: patient, windowMs: patient, minBytesPerSecond: 0 }
    let sum = 0
    const took = (bytes: number) => {
      sum += bytes
      return sum > 20 ? Promise.reject(new Error('full')) : undefined
    }
    const all = async () => {
      const some = paced(parts(5, 10, 0), { pace, tooSlow, took })
      for await (const part of some) expect(part).toHaveLength(10)
    }
    await expect(all()).rejects.toThrow('full')
    expect(sum).toBe(30)
  })
})
