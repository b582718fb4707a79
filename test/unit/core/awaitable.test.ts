import { describe, expect, it } from '@jest/globals'
import { andThen, lastly, orElse } from '../../../src/core/index.ts'

const broken = new Error('broken')
const fails = (): never => {
  throw broken
}
const failsLater = (): Promise<never> => Promise.reject(broken)

describe('what is there', () => {
  it('is gone on with at once', () => {
    expect(andThen(1, (value) => value + 1)).toBe(2)
    expect(orElse(fails, (error) => error)).toBe(broken)
    const ended: string[] = []
    expect(
      lastly(
        () => 'value',
        () => void ended.push('end'),
      ),
    ).toBe('value')
    expect(ended).toEqual(['end'])
  })

  it('fails at once, after its end', () => {
    const ended: string[] = []
    expect(() => lastly(fails, () => void ended.push('end'))).toThrow(broken)
    expect(ended).toEqual(['end'])
  })
})

describe('what is promised', () => {
  it('is gone on with when it is there', async () => {
    expect(await andThen(Promise.resolve(1), (value) => value + 1)).toBe(2)
    expect(await orElse(failsLater, (error) => error)).toBe(broken)
    const ended: string[] = []
    expect(
      await lastly(
        () => Promise.resolve(1),
        () => void ended.push('end'),
      ),
    ).toBe(1)
    expect(ended).toEqual(['end'])
  })

  it('fails when it fails, after its end', async () => {
    const ended: string[] = []
    await expect(lastly(failsLater, () => void ended.push('end'))).rejects.toBe(broken)
    expect(ended).toEqual(['end'])
  })
})
