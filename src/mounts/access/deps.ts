import type { Clock, EventHub } from '../../core/index.ts'
import type { GuardedClient } from '../../http/index.ts'
import type { Peers } from '../../peers/index.ts'
import type { AccessStore } from '../../shares/index.ts'

export interface AccessDeps {
  clock: Clock
  events: EventHub
  client: Pick<GuardedClient, 'stream'>
  peers: Pick<Peers, 'getPeer' | 'renew' | 'exchange' | 'call' | 'wake'>
  store: AccessStore
  /** `host[:port]` of this server, which is its `client_id`. */
  authority: string
  /** From the beginning of a request to the head of its answer. */
  timeoutMs: number
}
