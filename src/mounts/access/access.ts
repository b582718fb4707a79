import { OutboundError, type OutboundStreamResponse } from '../../http/index.ts'
import { MountError } from '../errors.ts'
import type { RemoteCall, RemoteRequest } from '../remote-call.ts'
import { createAttempts, look, type Attempt } from './attempts.ts'
import { createDeadline, type Deadline } from './deadline.ts'
import type { AccessDeps } from './deps.ts'
import { judge } from './judge.ts'
import { problemOf, toMountError, unreachable } from './problems.ts'
import { discard, drain, isStream, send } from './send.ts'
import { createTokenKeeper } from './token-keeper.ts'
import { createTroubles } from './troubles.ts'
import { createWays } from './ways.ts'

export type Access = ReturnType<typeof createAccess>

const isLook = ({ method, path }: RemoteRequest): boolean =>
  method === 'PROPFIND' && path.length === 0

/** Who does not read all of what it refuses may cut us off before its 401 arrives. */
function unlessCutOff(error: unknown): undefined {
  if (error instanceof OutboundError && error.code === 'reset') return
  throw error
}

/**
 * Opens what others share with us: by an access token, exchanged and refreshed once for all processes,
 * or by the secret, as each sender has it.
 */
export function createAccess(deps: AccessDeps) {
  const { clock, peers, store, timeoutMs } = deps
  const troubles = createTroubles(deps)
  const keeper = createTokenKeeper(deps, troubles)
  const ways = createWays(deps, keeper)
  const { attempt, locate, settle, shut } = createAttempts(deps, troubles, keeper, ways)

  async function within<T>(
    host: string,
    caller: AbortSignal | undefined,
    work: (deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const deadline = createDeadline(timeoutMs, host, caller)
    try {
      return await work(deadline)
    } finally {
      deadline.lift()
    }
  }

  /** A 401 that remains, though never for our client: is it of the share, or of this request alone? */
  async function explain(
    id: string,
    request: RemoteRequest,
    { answer, way, failure }: Attempt,
    deadline: Deadline,
  ): Promise<OutboundStreamResponse> {
    try {
      if (isLook(request)) throw await shut(id, failure)
      const { share, root } = await locate(id, deadline)
      const again = await send(deps, share.senderHost, root, look, way.authorization, deadline)
      await drain(again)
      if (again.status === 401) throw await shut(id, failure)
      return { ...answer, status: 403 }
    } catch (error) {
      discard(answer)
      throw error
    }
  }

  /** What can be sent only once is sent when it is known what opens the share. */
  async function upload(
    id: string,
    request: RemoteRequest,
    deadline: Deadline,
  ): Promise<OutboundStreamResponse> {
    const { share, peer } = await locate(id, deadline)
    const { senderHost } = share
    if (!ways.isSettled(share, peer)) await settle(id, deadline)
    const tried = await attempt(id, request, deadline).catch(unlessCutOff)
    if (tried?.isOpen) return tried.answer
    try {
      const { way } = await within(senderHost, request.signal, (anew) => settle(id, anew))
      if (tried?.way.authorization === way.authorization) return { ...tried.answer, status: 403 }
      // The next one finds the share open.
      throw unreachable(senderHost, 1)
    } catch (error) {
      if (tried !== undefined) discard(tried.answer)
      throw error
    }
  }

  async function call(id: string, request: RemoteRequest): Promise<OutboundStreamResponse> {
    const { senderHost } = judge(await store.find(id), clock.now())
    try {
      return await within(senderHost, request.signal, async (deadline) => {
        if (isStream(request)) return upload(id, request, deadline)
        const tried = await attempt(id, request, deadline)
        return tried.isOpen ? tried.answer : explain(id, request, tried, deadline)
      })
    } catch (error) {
      throw toMountError(error, senderHost)
    }
  }

  return {
    /** Asks where a share lives, with whatever opens it at that moment. */
    open:
      ({ id }: { readonly id: string }): RemoteCall =>
      (request) =>
        call(id, request),

    /** Tries now, and writes down what comes of it; only surprises are thrown. */
    async retry(id: string): Promise<void> {
      const share = await store.find(id)
      if (share?.state !== 'accepted') return
      const { senderHost } = share
      ways.forget(id)
      await peers.wake(senderHost)
      try {
        const { answer } = await within(senderHost, undefined, async (deadline) => {
          await deadline.race(peers.renew(senderHost))
          return settle(id, deadline)
        })
        const { status } = answer
        if (status !== 207) await troubles.note(share, problemOf(status, senderHost))
      } catch (error) {
        const known = toMountError(error, senderHost)
        if (!(known instanceof MountError)) throw known
        // What a sender closed was written down then.
        const isWritten = known.code === 'share_closed' && (await store.find(id))?.problem !== null
        if (!isWritten) await troubles.note(share, known.message)
      }
    },

    close: keeper.close,
  }
}
