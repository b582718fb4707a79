import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFixture } from '../support/fixtures.ts'
import { independentPeer } from '../support/peer/independent-peer.ts'
import { addAlice } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

interface Recorded {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

const recorded = readFixture('shares/responses') as Record<string, Recorded>

/** What becomes of a share of ours, and how often the peer is told of it. */
const outcomes: Record<string, [state: string, told: number]> = {
  'nextcloud-201': ['sent', 1],
  'nextcloud-400-missing': ['failed', 1],
  'nextcloud-400-secret': ['failed', 2],
  'nextcloud-501': ['failed', 1],
  'nextcloud-503': ['pending', 1],
  'nextcloud-429': ['pending', 1],
  'reva-201-empty': ['sent', 1],
  'reva-201-name': ['sent', 1],
  'reva-400': ['failed', 2],
  'reva-401-not-auto': ['failed', 1],
  'reva-404': ['failed', 1],
  'opencloud-200': ['sent', 1],
  'opencloud-400-options': ['failed', 2],
  'ocmgo-201': ['sent', 1],
  'ocmgo-400-required': ['failed', 1],
  'ocmgo-400-protocol': ['failed', 2],
  'ocmgo-501-protocol': ['failed', 2],
  'ocmgo-501-type': ['failed', 1],
  'ocmgo-401-unsigned': ['failed', 1],
  'ocmgo-403-identity': ['failed', 1],
  'ocmgo-403-invite': ['failed', 1],
  'stub-201': ['sent', 1],
}

let server: TestServer

beforeAll(async () => {
  server = await startServer({ courier: false })
  await addAlice(server)
})

afterAll(() => server.close())

describe('the recorded answer to an offer', () => {
  it('is known to this test, whichever it is', () => {
    expect(Object.keys(recorded)).toEqual(Object.keys(outcomes))
  })

  it.each(Object.entries(outcomes))('%s: %j', async (name, [state, told]) => {
    await using peer = await independentPeer({ flavour: 'ocm-stub' })
    const { status, headers, body } = recorded[name] ?? { status: 0, headers: {}, body: '' }
    peer.replyToShares({ status, headers, body }, { status, headers, body })
    const wanted = { owner: 'alice', path: '/Holiday', recipient: `bob@${peer.host}` }
    const share = await server.services().shares.createShare(wanted)
    expect([share.state, peer.shares.length]).toEqual([state, told])
    if (state === 'sent') expect(share.problem).toBeNull()
    else {
      const { message = body } = body as { message?: unknown }
      expect(share.problem).toBe(`${peer.host} answered ${status}: ${String(message).trim()}`)
    }
  })
})
