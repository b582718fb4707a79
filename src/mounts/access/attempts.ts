import type { OutboundStreamResponse } from '../../http/index.ts'
import type { ShareAccess } from '../../shares/index.ts'
import type { RemoteRequest } from '../remote-call.ts'
import type { Deadline } from './deadline.ts'
import type { AccessDeps } from './deps.ts'
import { judge } from './judge.ts'
import { rootOf } from './place.ts'
import { problems, unreachable } from './problems.ts'
import { discard, drain, isStream, send } from './send.ts'
import type { TokenFailure, TokenKeeper } from './token-keeper.ts'
import type { Troubles } from './troubles.ts'
import type { Way, Ways } from './ways.ts'

/** What a sender answered, and to what. */
export interface Attempt {
  readonly answer: OutboundStreamResponse
  readonly way: Way
  /** Not with 401. */
  readonly isOpen: boolean
  /** Why there was no token, where there might have been one. */
  readonly failure?: TokenFailure | undefined
}

/** The least that tells whether a share opens. */
export const look: RemoteRequest = {
  method: 'PROPFIND',
  path: [],
  headers: { depth: '0', 'content-type': 'application/xml; charset=utf-8' },
  body: '<?xml version="1.0" encoding="utf-8"?>\n<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/></D:prop></D:propfind>',
}

/** Tries what there is to open a share, and draws the conclusions. */
export function createAttempts(
  deps: AccessDeps,
  troubles: Troubles,
  keeper: Pick<TokenKeeper, 'conclude'>,
  ways: Pick<Ways, 'into'>,
) {
  const { clock, peers, store } = deps

  /** The share as it is now, and where it lives. @throws MountError */
  async function locate(id: string, deadline: Deadline) {
    const share = judge(await store.find(id), clock.now())
    const peer = await deadline.race(peers.getPeer(share.senderHost))
    return { share, peer, root: rootOf(share, peer) }
  }

  /** One way after the other, until the sender says something else than 401. */
  async function attempt(id: string, request: RemoteRequest, deadline: Deadline): Promise<Attempt> {
    const { share, peer, root } = await locate(id, deadline)
    const order = ways.into(share, peer, deadline)
    let last: Pick<Attempt, 'answer' | 'way'> | undefined
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
      if (status < 400) await troubles.restore(share)
      const isWelcome = status < 400 || status === 404
      if (mode === 'exchange' || mode === share.authMode || !isWelcome) return
      await store.change(share.id, ({ state, authMode }) =>
        state === 'accepted' && authMode !== 'exchange' ? { authMode: mode } : undefined,
      )
    } catch {
      // The answer is worth more.
    }
  }

  /** Nothing that we have opens the share: what to throw. */
  async function shut(id: string, failure: TokenFailure | undefined): Promise<Error> {
    const share = judge(await store.find(id), clock.now())
    if (failure === undefined || failure.status === 'refused') {
      return troubles.attend(share, problems.refused(share.senderHost), 'webdav: 401')
    }
    return keeper.conclude(share, failure)
  }

  return {
    locate,
    attempt,
    shut,

    /** Finds out what opens the share. @throws MountError when nothing does. */
    async settle(id: string, deadline: Deadline): Promise<Attempt> {
      const tried = await attempt(id, look, deadline)
      await drain(tried.answer)
      if (tried.isOpen) return tried
      throw await shut(id, tried.failure)
    },
  }
}
