import { LRUCache } from 'lru-cache'
import type { Peer } from '../../peers/index.ts'
import type { ShareAccess } from '../../shares/index.ts'
import type { Deadline } from './deadline.ts'
import type { AccessDeps } from './deps.ts'
import { closed, problems } from './problems.ts'
import { isFresh } from './token-life.ts'
import { isBound, type TokenFailure, type TokenKeeper } from './token-keeper.ts'

/** One thing to try a share with. */
export interface Way {
  readonly mode: 'exchange' | 'bearer' | 'basic'
  readonly authorization: string
}

export type Ways = ReturnType<typeof createWays>

/** A password that works is not tried to be exchanged more often. */
const exchangeRestMs = 60 * 60_000

/** The order in which a share is tried to be opened; what worked before comes first. */
export function createWays({ clock, store }: AccessDeps, keeper: Pick<TokenKeeper, 'refresh'>) {
  const triedAt = new LRUCache<string, number>({ max: 1000 })

  function mayExchange({ id, authMode }: ShareAccess, { discovery }: Peer): boolean {
    if (discovery.tokenEndPoint === undefined) return false
    const age = clock.now() - (triedAt.get(id) ?? -Infinity)
    return authMode === null || age < 0 || age >= exchangeRestMs
  }

  function tokenWay(share: ShareAccess): Way {
    const token = store.accessTokenOf(share)?.reveal()
    if (token === undefined) throw closed(problems.ended)
    return { mode: 'exchange', authorization: `Bearer ${token}` }
  }

  function secretWays(share: ShareAccess): Way[] {
    const secret = store.secretOf(share)?.reveal().secret
    if (secret === undefined) throw closed(problems.ended)
    const bearer = { mode: 'bearer', authorization: `Bearer ${secret}` } as const
    const encoded = Buffer.from(`${secret}:`).toString('base64')
    const basic = { mode: 'basic', authorization: `Basic ${encoded}` } as const
    const first = share.authMode ?? (share.form === 'options' ? 'basic' : 'bearer')
    return first === 'basic' ? [basic, bearer] : [bearer, basic]
  }

  return {
    /** Whether the first way is likely to be the last, so that a body can be sent along. */
    isSettled: (share: ShareAccess, peer: Peer): boolean =>
      isBound(share)
        ? isFresh(share, clock.now())
        : share.authMode !== null && !mayExchange(share, peer),

    /**
     * The ways, one after the other as the sender refuses them; in the end, why there was no token.
     *
     * @throws MountError when there is none.
     */
    async *into(
      share: ShareAccess,
      peer: Peer,
      deadline: Deadline,
    ): AsyncGenerator<Way, TokenFailure | undefined> {
      let failure: TokenFailure | undefined
      if (isBound(share) || mayExchange(share, peer)) {
        const first = isFresh(share, clock.now())
          ? ({ status: 'token', share } as const)
          : await deadline.race(keeper.refresh(share.id, null))
        if (first.status === 'token') {
          yield tokenWay(first.share)
          const { sealedAccessToken } = first.share
          const second = await deadline.race(keeper.refresh(share.id, sealedAccessToken))
          if (second.status === 'none') return second.failure
          yield tokenWay(second.share)
          return undefined
        }
        failure = first.failure
        triedAt.set(share.id, clock.now())
      }
      yield* secretWays(share)
      return failure
    },

    /** The next request may try everything again. */
    forget: (id: string): void => void triedAt.delete(id),
  }
}
