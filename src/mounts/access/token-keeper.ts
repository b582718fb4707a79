import { setTimeout as sleep } from 'node:timers/promises'
import { newId, reach } from '../../core/index.ts'
import type { ShareAccess } from '../../shares/index.ts'
import type { AccessDeps } from './deps.ts'
import { judge } from './judge.ts'
import { closed, garbled, problems, toMountError, unreachable } from './problems.ts'
import { readTokenAnswer, type TokenAnswer } from './token-answer.ts'
import { hasToken, isFresh } from './token-life.ts'
import type { Troubles } from './troubles.ts'

/** Whoever holds the lease longer is dead, or so slow that a second exchange does no harm. */
const leaseMs = 15_000
const pollMs = 100
/** For the real time of one exchange after a whole lease. */
const patienceMs = 2 * leaseMs

export type TokenKeeper = ReturnType<typeof createTokenKeeper>

export type TokenFailure = Exclude<TokenAnswer, { status: 'token' }>

/** The share with a token, or why there is none although something else may open it. */
export type Refreshed =
  | { readonly status: 'token'; readonly share: ShareAccess }
  | { readonly status: 'none'; readonly failure: TokenFailure }

/** Only access tokens open it, because its sender said so or gave us one. */
export const isBound = ({ strict, authMode }: ShareAccess): boolean =>
  strict || authMode === 'exchange'

const freed = { refreshLeaseHolder: null, refreshLeaseUntil: null } as const

/** Exchanges the refresh tokens of shares: each once, whatever the number of requests and processes. */
export function createTokenKeeper(deps: AccessDeps, troubles: Troubles) {
  const { clock, events, peers, store, authority } = deps
  const holder = newId()
  const flights = new Map<string, Promise<Refreshed>>()
  let isClosed = false

  const isUsable = (share: ShareAccess, useless: Buffer | null): boolean =>
    isFresh(share, clock.now()) && !hasToken(share, useless)

  /** By somebody who is alive; a lease longer than any means that the clock was set back. */
  function isHeld({ refreshLeaseHolder, refreshLeaseUntil: until }: ShareAccess): boolean {
    const now = clock.now()
    return refreshLeaseHolder !== holder && until !== null && until > now && until <= now + leaseMs
  }

  async function fly(id: string, useless: Buffer | null): Promise<Refreshed> {
    const giveUpAt = performance.now() + patienceMs
    let share = judge(await store.find(id), clock.now())
    while (!isClosed && performance.now() < giveUpAt) {
      if (isUsable(share, useless)) return { status: 'token', share }
      if (isHeld(share)) await sleep(pollMs)
      else if (await takeLease(id, useless)) return exchangeLeased(share)
      share = judge(await store.find(id), clock.now())
    }
    throw unreachable(share.senderHost)
  }

  async function takeLease(id: string, useless: Buffer | null): Promise<boolean> {
    let isOurs = false
    await store.change(id, (current) => {
      isOurs = current.state === 'accepted' && !isUsable(current, useless) && !isHeld(current)
      return isOurs
        ? { refreshLeaseHolder: holder, refreshLeaseUntil: clock.now() + leaseMs }
        : undefined
    })
    return isOurs
  }

  async function exchangeLeased(share: ShareAccess): Promise<Refreshed> {
    await reach('access.leased')
    try {
      const askedAt = clock.now()
      const answer = await ask(share)
      await reach('access.exchanged')
      if (answer.status === 'token') return await keep(share, answer, askedAt)
      if (!isBound(share)) return { status: 'none', failure: answer }
      throw await conclude(share, answer)
    } catch (error) {
      throw toMountError(error, share.senderHost)
    } finally {
      // What cannot be written now runs out by itself.
      await release(share.id).catch(() => undefined)
    }
  }

  async function release(id: string): Promise<void> {
    if ((await store.find(id))?.refreshLeaseHolder !== holder) return
    await store.change(id, ({ refreshLeaseHolder }) =>
      refreshLeaseHolder === holder ? freed : undefined,
    )
  }

  async function ask(share: ShareAccess): Promise<TokenAnswer> {
    const { senderHost } = share
    const known = store.secretOf(share)?.reveal()
    if (known === undefined) throw closed(problems.ended)
    let peer = await peers.getPeer(senderHost)
    // What is remembered may be a day old.
    if (peer.discovery.tokenEndPoint === undefined) peer = await peers.renew(senderHost)
    const { tokenEndPoint } = peer.discovery
    if (tokenEndPoint === undefined) return { status: 'refused', reason: 'no token endpoint' }
    const code = known.code ?? known.secret
    return readTokenAnswer(await peers.exchange(peer, tokenEndPoint, code, authority))
  }

  async function keep(
    { id, senderHost: peer }: ShareAccess,
    { accessToken, expiresInSeconds }: Extract<TokenAnswer, { status: 'token' }>,
    askedAt: number,
  ): Promise<Refreshed> {
    const kept = await store.change(id, (current) =>
      current.state === 'accepted'
        ? {
            authMode: 'exchange',
            sealedAccessToken: store.sealAccessToken(id, accessToken),
            accessTokenIssuedAt: askedAt,
            accessTokenExpiresAt: askedAt + expiresInSeconds * 1000,
            ...(current.refreshLeaseHolder === holder && freed),
          }
        : undefined,
    )
    await reach('access.kept')
    const share = judge(kept, clock.now())
    events.emit('access.exchanged', { incomingId: id, peer, seconds: expiresInSeconds })
    return { status: 'token', share }
  }

  /** What a failed exchange means for a share that nothing else opens; returns what to throw. */
  async function conclude(share: ShareAccess, failure: TokenFailure): Promise<Error> {
    const { senderHost } = share
    switch (failure.status) {
      case 'revoked':
        return troubles.revoke(share)
      case 'refused':
        return troubles.attend(share, problems.notExchanged(senderHost), failure.reason)
      case 'later':
        return unreachable(senderHost, failure.retryAfterSeconds)
      case 'garbled':
        troubles.tell(share, 'token endpoint: no token')
        return garbled(senderHost)
    }
  }

  async function refresh(id: string, useless: Buffer | null): Promise<Refreshed> {
    let flight = flights.get(id)
    if (flight === undefined) {
      flight = fly(id, useless).finally(() => flights.delete(id))
      flights.set(id, flight)
    }
    const refreshed = await flight
    // Somebody else's flight, that began before this token was found out.
    if (refreshed.status === 'token' && hasToken(refreshed.share, useless)) {
      return refresh(id, useless)
    }
    return refreshed
  }

  return {
    /**
     * An access token other than the `useless` one, from whichever process asks first.
     *
     * @throws MountError
     */
    refresh,

    conclude,

    /** No exchange begins any more; those that run end first. */
    async close(): Promise<void> {
      isClosed = true
      await Promise.allSettled(flights.values())
    },
  }
}
