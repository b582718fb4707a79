import { LRUCache } from 'lru-cache'
import type { RateLimiterRes } from 'rate-limiter-flexible'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { AppError } from './errors.ts'
import type { EventHub } from './events.ts'

/** How often something may be done in a window of time, which begins with the first time. */
export interface Budget {
  readonly count: number
  readonly windowSeconds: number
}

export interface LimiterOptions {
  /** Of the event, and of the setting below `limits`. */
  readonly name: string
  /** What is counted apart. */
  readonly by: 'address' | 'peer' | 'share'
  readonly budget: Budget
  readonly events: EventHub
  /** In the words of the room that asks; the usual ones if absent. */
  readonly refuse?: (retryAfterSeconds: number) => AppError
}

/** A budget for each of many. */
export interface Limiter {
  /** Counts once. @throws AppError of kind `too_many` when that is once too often. */
  spend(who: string): Promise<void>
  /** Counts nothing. @throws AppError when the budget is used up. */
  check(who: string): Promise<void>
  /** Counts once, and refuses nothing yet. */
  note(who: string): Promise<void>
}

/** Of how many is counted; then of whoever was not heard of for longest no more. */
const maxKnown = 20_000

const tooMany = (retryAfterSeconds: number): AppError =>
  new AppError('too_many', 'too_many_requests', 'Too many requests; try again later.', {
    retryAfterSeconds,
  })

/**
 * The one place where budgets are kept: in the memory of this process, so each process has its own
 * and a restart forgets. What must outlive that is in the database (`users/login.ts`).
 */
export function createLimiter(options: LimiterOptions): Limiter {
  const { name, by, budget, events, refuse = tooMany } = options
  const { count: points, windowSeconds: duration } = budget
  const counts = new RateLimiterMemory({ points, duration })
  const known = new LRUCache<string, true>({
    max: maxKnown,
    dispose: (_, who, reason) => void (reason === 'evict' && counts.delete(who)),
  })

  const refusal = ({ msBeforeNext }: RateLimiterRes): AppError =>
    refuse(Math.min(duration, Math.max(1, Math.ceil(msBeforeNext / 1000))))

  async function add(who: string): Promise<RateLimiterRes> {
    known.set(who, true)
    const result = await counts.penalty(who)
    // Once in each window: whoever floods us shall not flood the log.
    if (result.consumedPoints === points + 1) events.emit('limit.reached', { limit: name, by, who })
    return result
  }

  return {
    async spend(who) {
      const result = await add(who)
      if (result.consumedPoints > points) throw refusal(result)
    },
    async check(who) {
      const result = await counts.get(who)
      if (result && result.consumedPoints >= points) {
        if (result.consumedPoints === points) await add(who)
        throw refusal(result)
      }
    },
    async note(who) {
      await add(who)
    },
  }
}
