import type { PeerAnswer } from './post.ts'

/** An answer in words for an operator. */
export const describeAnswer = (
  host: string,
  { status, reason }: Pick<PeerAnswer, 'status' | 'reason'>,
): string => `${host} answered ${status}${reason === '' ? '' : `: ${reason}`}`

/** Answers that say "not now"; everything else that is no success is a final no. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/**
 * What an answer means for a message of ours. 401 is final too: some peers say it for "not
 * trusted", as the draft does ("Response" of the Share Creation Notification).
 */
export function judgeAnswer(status: number): 'delivered' | 'later' | 'refused' {
  if (status >= 200 && status < 300) return 'delivered'
  return passing.has(status) ? 'later' : 'refused'
}
