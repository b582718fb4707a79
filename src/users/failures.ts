import { hashSecret } from '../core/index.ts'
import type { Transaction } from '../db/index.ts'
import { extendFailures, recordFailure } from './queries.ts'

export interface LoginLimit {
  /** Of one user name from one address. */
  readonly failures: number
  /** Of all user names from one address. */
  readonly addressFailures: number
  readonly windowSeconds: number
}

/** Under which failures are counted; nothing in a key can be read back. */
export interface FailureKeys {
  readonly own: string
  readonly address: string
}

export const keysOf = (username: string, address: string): FailureKeys => ({
  own: hashSecret(`${username.toLowerCase()}\n${address}`),
  address: hashSecret(`\n${address}`),
})

/** Under which it is counted how often there were too many. */
export const blocksKeyOf = (key: string): string => hashSecret(`blocks\n${key}`)

/** How long it is remembered that there were too many. */
const memoryMs = 24 * 60 * 60_000

const longestMs = 60 * 60_000

/** Counts a failure; each time there are too many again, the wait is twice as long. */
export async function noteFailure(
  tx: Transaction,
  keys: FailureKeys,
  limit: LoginLimit,
  now: number,
): Promise<void> {
  const windowMs = limit.windowSeconds * 1000
  const count = async (key: string, most: number): Promise<void> => {
    if ((await recordFailure(tx, key, now, now + windowMs)) !== most) return
    const blocks = await recordFailure(tx, blocksKeyOf(key), now, now + memoryMs)
    const blockMs = Math.min(windowMs * 2 ** (blocks - 1), Math.max(windowMs, longestMs))
    await extendFailures(tx, key, now + blockMs)
  }
  await count(keys.own, limit.failures)
  await count(keys.address, limit.addressFailures)
}
