import type { OutboundStreamResponse } from '../../http/index.ts'
import type { ShareAccess } from '../../shares/index.ts'
import { MountError } from '../errors.ts'
import type { RemoteCall, RemoteRequest } from '../remote-call.ts'
import { createDeadline, type Deadline } from './deadline.ts'
import type { AccessDeps } from './deps.ts'
import { judge } from './judge.ts'
import { rootOf } from './place.ts'
import { problems, toMountError, unreachable } from './problems.ts'
import { discard, drain, isStream, send } from './send.ts'
import { createTokenKeeper, type TokenFailure } from './token-keeper.ts'
import { createTroubles } from './troubles.ts'
import { createWays, type Way } from './ways.ts'

/** What a share answered, and to what; `isOpen`: not with 401. */
interface Attempt {
  readonly answer: OutboundStreamResponse
  readonly way: Way
  readonly isOpen: boolean
  readonly failure?: TokenFailure | undefined
}

export type Access = ReturnType<typeof createAccess>

/** The least that tells whether a share opens. */
const look: RemoteRequest = {
  method: 'PROPFIND',
  path: [],
  headers: { depth: '0', 'content-type': 'application/xml; charset=utf-8' },
  body: '<?xml version="1.0" encoding="utf-8"?>\n<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/></D:prop></D:propfind>',
}

const isLook = ({ method, path }: RemoteRequest): boolean =>
  method === 'PROPFIND' && path.length === 0

/**
 * Opens what others share with us: by an access token, exchanged and refreshed once for all processes,
 * or by the secret, as each sender has it.
 */
export function createAccess(deps: AccessDeps) {
  const { clock, peers, store, timeoutMs } = deps
  const troubles = createTroubles(deps)
  const keeper = createTokenKeeper(deps, troubles)
  const ways = createWays(deps, keeper)

  async function locate(id: string, deadline: Deadline) {
    const share = judge(await store.find(id), clock.now())
    const peer = await deadline.race(peers.getPeer(share.senderHost))
    return { share, peer, root: rootOf(share, peer) }
  }

  /** Tries one way after the other, until the sender says something else than 401. */
  async function attempt(id: string, request: RemoteRequest, deadline: Deadline): Promise<Attempt> {
    const { share, peer, root } = await locate(id, deadline)
    const order = ways.into(share, peer, deadline)
    let last: Omit<Attempt, 'isOpen'> | undefined
    try {
      for (;;) {
        const step = await order.next()
        if (step.done) {
          if (last === undefined) throw unreachable(share.senderHost)
          return { ...last, isOpen: false, failure: step.value }
        }
        const way = step.value
        if (last !== undefined) discard(last.answer)
        const answer = await send(
          deps,
          share.senderHost,
          root,
          request,
          way.authorization,
          deadline,
        )
        last = { answer, way }
        if (answer.status !== 401) {
          await learn(share, last)
          return { ...last, isOpen: true }
        }
        if (isStream(request)) return { ...last, isOpen: false }
      }
    } catch (error) {
      if (last !== undefined) discard(last.answer)
      throw error
    }
  }

  /** Remembers what worked. Whoever could not write that down finds it out again. */
  async function learn(share: ShareAccess, { answer, way }: Pick<Attempt, 'answer' | 'way'>) {
    const { status } = answer
    const { mode } = way
    try {
      if (status < 500) await troubles.restore(share)
      const isWelcome = status < 400 || status === 404
      if (mode === 'exchange' || mode === share.authMode || !isWelcome) return
      await store.change(share.id, ({ state, authMode }) =>
        state === 'accepted' && authMode !== 'exchange' ? { authMode: mode } : undefined,
      )
    } catch {
      // The answer is worth more.
    }
  }

  /** Finds out what opens the share. @throws MountError when nothing does. */
  async function settle(id: string, deadline: Deadline): Promise<Attempt> {
    const tried = await attempt(id, look, deadline)
    await drain(tried.answer)
    if (tried.isOpen) return tried
    throw await shut(id, tried.failure)
  }

  /** Nothing that we have opens the share: what to throw. */
  async function shut(id: string, failure: TokenFailure | undefined): Promise<Error> {
    const share = judge(await store.find(id), clock.now())
    if (failure === undefined || failure.status === 'refused') {
      return troubles.attend(share, problems.refused(share.senderHost), 'webdav: 401')
    }
    return keeper.conclude(share, failure)
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

  /** What was sent cannot be sent again, but the next try will find the share open. */
  async function explainStream(
    id: string,
    { answer, way }: Attempt,
    host: string,
    caller: AbortSignal | undefined,
  ): Promise<OutboundStreamResponse> {
    const deadline = createDeadline(timeoutMs, host, caller)
    try {
      const settled = await settle(id, deadline)
      if (settled.way.authorization === way.authorization) return { ...answer, status: 403 }
      throw unreachable(host, 1)
    } catch (error) {
      discard(answer)
      throw error
    } finally {
      deadline.lift()
    }
  }

  async function call(id: string, request: RemoteRequest): Promise<OutboundStreamResponse> {
    const { senderHost } = judge(await store.find(id), clock.now())
    const deadline = createDeadline(timeoutMs, senderHost, request.signal)
    try {
      if (isStream(request)) {
        const { share, peer } = await locate(id, deadline)
        if (!ways.isSettled(share, peer)) await settle(id, deadline)
      }
      const tried = await attempt(id, request, deadline)
      if (tried.isOpen) return tried.answer
      return isStream(request)
        ? await explainStream(id, tried, senderHost, request.signal)
        : await explain(id, request, tried, deadline)
    } catch (error) {
      throw toMountError(error, senderHost)
    } finally {
      deadline.lift()
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
      const deadline = createDeadline(timeoutMs, senderHost)
      try {
        ways.forget(id)
        await peers.wake(senderHost)
        await deadline.race(peers.renew(senderHost))
        const { answer } = await settle(id, deadline)
        if (answer.status !== 207) await troubles.note(share, problems.missing(senderHost))
      } catch (error) {
        const known = toMountError(error, senderHost)
        if (!(known instanceof MountError)) throw known
        if (known.code !== 'share_closed') await troubles.note(share, known.message)
      } finally {
        deadline.lift()
      }
    },

    close: keeper.close,
  }
}
