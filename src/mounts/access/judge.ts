import type { ShareAccess } from '../../shares/index.ts'
import { closed, problems } from './problems.ts'

/** After a final no nobody calls the sender for so long. */
export const restMs = 60_000

/** A rest longer than any means that the clock was set back. */
const isResting = ({ accessRetryAt }: ShareAccess, now: number): boolean =>
  accessRetryAt !== null && accessRetryAt > now && accessRetryAt <= now + restMs

/**
 * Whether a share may be opened now, before anybody is asked.
 *
 * @throws MountError `share_closed`.
 */
export function judge(share: ShareAccess | undefined, now: number): ShareAccess {
  if (share?.state !== 'accepted' && share?.state !== 'revoked') throw closed(problems.ended)
  const { state, problem, expiresAt, senderHost } = share
  if (state === 'revoked') throw closed(problem ?? problems.revoked(senderHost))
  if (expiresAt !== null && expiresAt <= now) throw closed(problems.expired)
  if (isResting(share, now)) throw closed(problem ?? problems.refused(senderHost))
  return share
}
