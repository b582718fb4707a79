import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFixture } from '../support/fixtures.ts'
import { text as textOf } from 'node:stream/consumers'
import { independentPeer } from '../support/peer/independent-peer.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startServer()
})

afterAll(() => server.close())

const message = {
  kind: 'notification',
  type: 'SHARE_DECLINED',
  providerId: '42',
  resourceType: 'file',
  secret: 'the secret of the share',
} as const

type MessageType = 'SHARE_ACCEPTED' | 'SHARE_DECLINED' | 'SHARE_UNSHARED' | 'RESHARE_UNDO'

type Recorded = Readonly<Record<string, { status: number; body: unknown }>>
const answers = readFixture('notifications/responses') as Recorded

/** What the peer was sent, and what we make of its answer. */
async function deliver(
  answer: { status: number; body?: unknown },
  change: { type?: MessageType } = {},
  { criteria = [], attempts = 1 }: { criteria?: string[]; attempts?: number } = {},
) {
  await using peer = await independentPeer({ discovery: { criteria } })
  let sent: unknown
  peer.takeOver('/ocm/notifications', (req, res) => {
    void textOf(req).then((text) => {
      sent = JSON.parse(text)
      res.writeHead(answer.status, { 'content-type': 'application/json' })
      res.end(answer.body === '' ? '' : JSON.stringify(answer.body))
    })
  })
  const attempt = { peer: peer.host, attempts, isLast: false }
  const { notifications } = server.services()
  const outcome = await notifications.deliver({ ...message, ...change }, attempt)
  return { status: outcome.status, sent }
}

describe('what a peer is told', () => {
  const requests = readFixture('notifications/requests') as Record<
    string,
    { notification?: object }
  >

  it.each([
    ['SHARE_ACCEPTED', 'nextcloud-accepted'],
    ['SHARE_DECLINED', 'nextcloud-declined'],
    ['SHARE_UNSHARED', 'nextcloud-unshared'],
    ['RESHARE_UNDO', 'nextcloud-reshare-undo'],
  ] as const)('%s is what Nextcloud tells', async (type, name) => {
    const { sent } = await deliver({ status: 201, body: [] }, { type })
    const { notification, ...notice } = requests[name] ?? {}
    expect(notification).toHaveProperty('sharedSecret')
    const { secret: sharedSecret } = message
    expect(sent).toEqual({ ...notice, notification: { ...notification, sharedSecret } })
  })

  it.each([
    ['SHARE_ACCEPTED', 'ocmgo-accepted'],
    ['SHARE_DECLINED', 'ocmgo-declined'],
  ] as const)('%s has no secret for who takes signed messages only', async (type, name) => {
    const signing = { criteria: ['must-use-http-sig'] }
    const { sent } = await deliver({ status: 200, body: {} }, { type }, signing)
    expect(sent).toEqual({ ...requests[name], providerId: '42' })
  })
})

describe('the answer to a decline', () => {
  const verdicts = [
    ['nextcloud-201', 'delivered'],
    ['nextcloud-201-reshare', 'delivered'],
    ['reva-201', 'delivered'],
    ['ocmgo-200', 'delivered'],
    ['ours-201', 'delivered'],
    ['nextcloud-400', 'delivered'],
    ['ocmgo-404', 'delivered'],
    ['nextcloud-403', 'refused'],
    ['nextcloud-501', 'refused'],
    ['ocmgo-403', 'refused'],
    ['ocmgo-409', 'refused'],
  ] as const

  it('is known to this test, whatever was recorded', () => {
    expect(Object.keys(answers).sort()).toEqual(verdicts.map(([name]) => name).sort())
  })

  it.each(verdicts)('%s: %s', async (name, status) => {
    const answer = answers[name] ?? { status: 500 }
    expect((await deliver(answer)).status).toBe(status)
  })

  it.each([408, 429, 500, 503])('%i: later', async (status) => {
    expect((await deliver({ status, body: {} })).status).toBe('later')
  })
})

it('an unknown share cannot be accepted, an answer of ours that was lost can', async () => {
  const accepted = { type: 'SHARE_ACCEPTED' } as const
  expect((await deliver({ status: 404, body: {} }, accepted)).status).toBe('refused')
  expect((await deliver({ status: 409, body: {} }, accepted, { attempts: 2 })).status).toBe(
    'delivered',
  )
})
