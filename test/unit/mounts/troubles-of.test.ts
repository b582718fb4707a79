import { describe, expect, it } from '@jest/globals'
import { troubleOf } from '../../../src/mounts/troubles-of.ts'
import type { RememberedPeer } from '../../../src/peers/index.ts'
import type { IncomingShare } from '../../../src/shares/index.ts'

const share = {
  senderHost: 'peer.example',
  problem: null,
  problemAt: null,
  state: 'accepted',
  expiresAt: null,
} as IncomingShare

const peerThat = (state: 'closed' | 'open' | 'half-open') =>
  ({
    trust: 'open',
    failingSince: 7,
    breaker: { state, failures: 3, until: null },
  }) as RememberedPeer

describe('what keeps a user from a share', () => {
  it.each(['open', 'half-open'] as const)('is a sender that rests: %s', (state) => {
    const problem = expect.stringContaining('cannot be reached')
    expect(troubleOf(share, peerThat(state), 9)).toEqual({ problem, since: 7 })
  })

  it('is one failure of its sender, or a few, in other words', () => {
    const problem = expect.stringContaining('did not answer as it should')
    expect(troubleOf(share, peerThat('closed'), 9)).toEqual({ problem, since: 7 })
  })
})
