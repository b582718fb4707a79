import type { AccessChange, ShareAccess } from '../../shares/index.ts'
import type { MountError } from '../errors.ts'
import type { AccessDeps } from './deps.ts'
import { restMs } from './judge.ts'
import { closed, problems } from './problems.ts'

export type Troubles = ReturnType<typeof createTroubles>

/** What is wrong with a share, written down where its user sees it, and only when that changes. */
export function createTroubles({ store, clock, events }: AccessDeps) {
  const note = ({ id }: ShareAccess, problem: string, change: AccessChange) =>
    store.change(id, (current) =>
      current.state === 'accepted'
        ? {
            problem,
            problemAt: current.problem === problem ? current.problemAt : clock.now(),
            accessRetryAt: null,
            ...change,
          }
        : undefined,
    )

  const tell = ({ id, senderHost }: ShareAccess, reason: string): void =>
    events.emit('access.refused', { incomingId: id, peer: senderHost, reason })

  return {
    /** Somebody should know; the next request tries again. */
    note: (share: ShareAccess, problem: string) => note(share, problem, {}),

    /** A final no: the sender is left alone for a while. Returns what to throw. */
    async attend(share: ShareAccess, problem: string, reason: string): Promise<MountError> {
      await note(share, problem, { accessRetryAt: clock.now() + restMs })
      tell(share, reason)
      return closed(problem)
    },

    /** The sender's last word: it is not asked again by itself. Returns what to throw. */
    async revoke(share: ShareAccess): Promise<MountError> {
      const problem = problems.revoked(share.senderHost)
      const nothing = {
        sealedAccessToken: null,
        accessTokenIssuedAt: null,
        accessTokenExpiresAt: null,
      } as const
      await note(share, problem, { state: 'revoked', ...nothing })
      tell(share, 'invalid_grant')
      return closed(problem)
    },

    tell,

    /** What was wrong is over. */
    async restore({ id, senderHost: peer, problem, accessRetryAt }: ShareAccess): Promise<void> {
      if (problem === null && accessRetryAt === null) return
      // It may have ended meanwhile, with a problem of its own.
      const now = await store.change(id, ({ state }) =>
        state === 'accepted' ? { problem: null, problemAt: null, accessRetryAt: null } : undefined,
      )
      if (now?.state === 'accepted') events.emit('access.restored', { incomingId: id, peer })
    },
  }
}
