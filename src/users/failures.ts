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

/** How long anybody may have to wait. */
export const longestWaitMs = ({ windowSeconds }: LoginLimit): number =>
  Math.max(windowSeconds * 1000, longestMs)

/** Counts a failure; each time there are too many again, the wait is twice as long. */
export async function noteFailure(
  tx: Transaction,
  keys: FailureKeys,
  limit: LoginLimit,
  now: number,
): Promise<void> {
  const windowMs = limit.windowSeconds * 1000
  const count = async (key: string, most: number): Promise<void> => {
    const longest = longestWaitMs(limit)
    const window = { windowEndsAt: now + windowMs, latest: now + longest }
    if ((await recordFailure(tx, key, now, window)) !== most) return
    const memory = { windowEndsAt: now + memoryMs, latest: now + memoryMs }
    const blocks = await recordFailure(tx, blocksKeyOf(key), now, memory)
    const blockMs = Math.min(windowMs * 2 ** (blocks - 1), longest)
    await extendFailures(tx, key, now + blockMs)
  }
  await count(keys.own, limit.failures)
  await count(keys.address, limit.addressFailures)
}
