import { AppError } from '../core/index.ts'
import type { DeliveryOutcome } from './message.ts'

export type FailedDelivery = Exclude<DeliveryOutcome, { status: 'delivered' }>

/** Failures of the way there pass; what is wrong with the message itself does not. */
export function judgeFailure(error: unknown): FailedDelivery {
  if (!(error instanceof AppError)) {
    const reason = `Unexpected: ${error instanceof Error ? error.message : String(error)}`
    return { status: 'later', reason }
  }
  const { kind, message: reason, retryAfterSeconds } = error
  if (!['upstream', 'unavailable', 'timeout', 'too_many', 'no_space', 'internal'].includes(kind)) {
    return { status: 'refused', reason }
  }
  const again = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  const untried = error.code === 'peer_resting'
  return { status: 'later', reason, untried, ...again }
}
