import { describe, expect, it } from '@jest/globals'
import { judgeAnswer } from '../../src/peers/index.ts'
import { independentPeer } from '../support/peer/independent-peer.ts'
import { startServer } from '../support/start-server.ts'

describe('what an answer to a message means', () => {
  it.each([
    ['delivered', [200, 201, 202, 204]],
    ['later', [408, 425, 429, 500, 502, 503, 504]],
    ['refused', [301, 302, 400, 401, 403, 404, 409, 413, 415, 422, 501, 505]],
  ])('%s: %j', (verdict, statuses) => {
    for (const status of statuses) expect([status, judgeAnswer(status)]).toEqual([status, verdict])
  })
})

describe('an answer of a peer', () => {
  /** The peer answers once with this. */
  async function answerOf(status: number, headers: Record<string, string>, body: string) {
    await using server = await startServer()
    await using peer = await independentPeer()
    peer.takeOver('/ocm/x', (req, res) => {
      req.resume().on('end', () => void res.writeHead(status, headers).end(body))
    })
    const { peers } = server.services()
    return await peers.post(await peers.discover(peer.host), '/x', {})
  }

  it('has its JSON as body', async () => {
    expect(await answerOf(201, {}, '{"userID":"marie"}')).toEqual({
      status: 201,
      reason: '',
      body: { userID: 'marie' },
      retryAfterSeconds: undefined,
    })
  })

  it.each([
    ['text', 'not today'],
    ['nothing', ''],
    ['JSON that is too large', JSON.stringify({ message: 'm'.repeat(65_536) })],
    ['JSON that is too deep', '['.repeat(30) + ']'.repeat(30)],
    ['poisonous JSON', '{"__proto__":{"admin":true}}'],
  ])('has no body when it is %s', async (_name, text) => {
    expect((await answerOf(400, {}, text)).body).toBeUndefined()
  })

  it.each([
    ['120', 120],
    ['0', 0],
    // The test clock stands at 2026-03-01 12:00.
    ['Sun, 01 Mar 2026 12:01:30 GMT', 90],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
  ])('says with Retry-After %s to wait %s s', async (field, seconds) => {
    const answer = await answerOf(503, { 'retry-after': field }, '{"message":"busy"}')
    expect(answer).toMatchObject({ status: 503, reason: 'busy' })
    expect(answer.retryAfterSeconds).toBe(seconds)
  })
})
