import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { addAlice } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

let server: TestServer
let peer: IndependentPeer

beforeEach(async () => {
  server = await startServer({ courier: false })
  peer = await independentPeer({ flavour: 'ocm-stub' })
  await addAlice(server)
})

afterEach(async () => {
  await Promise.all([peer.close(), server.close()])
})

const share = () =>
  server
    .services()
    .shares.createShare({ owner: 'alice', path: '/Holiday', recipient: `bob@${peer.host}` })

const shapes = () => peer.shares.map(({ body }) => body.protocol.name)
const bodies = () => peer.shares.map(({ body }) => JSON.stringify(body))
const stumble = { status: 400, body: { message: 'protocol options not supported' } }
const only = async () => (await server.services().shares.listShares())[0]

async function runAfter(time: string): Promise<void> {
  server.clock.advance(time)
  await server.services().outbox.runDue()
}

describe('an offer that is said again, because its answer did not arrive', () => {
  it('is said in the same words, whatever the peer calls itself by then', async () => {
    peer.replyToShares({ status: 502 })
    expect(await share()).toMatchObject({ state: 'pending', payloadShape: 'classic' })
    peer.changeDiscovery({
      apiVersion: '1.4.0',
      capabilities: ['exchange-token', 'protocol-object'],
    })
    await runAfter('5s')
    expect(shapes()).toEqual(['webdav', 'webdav'])
    expect(new Set(bodies()).size).toBe(1)
    expect(await only()).toMatchObject({ state: 'sent', payloadShape: 'classic' })
  })

  it('begins with the words that were said last', async () => {
    peer.replyToShares(stumble, { status: 503 })
    expect(await share()).toMatchObject({ state: 'pending', payloadShape: 'multi' })
    await server.restart()
    await runAfter('5s')
    expect(shapes()).toEqual(['webdav', 'multi', 'multi'])
    expect(bodies()[1]).toBe(bodies()[2])
    expect(await only()).toMatchObject({ state: 'sent', problem: null })
  })

  it('is no other offer when the second try is cut off', async () => {
    peer.replyToShares(stumble)
    peer.duringShare(({ body }) => {
      if (body.protocol.name !== 'multi') return Promise.resolve()
      peer.takeOver('/ocm/shares', (_req, res) => void res.writeHead(409).end())
      return new Promise(() => undefined)
    })
    await server.close()
    server = await startServer({ courier: false, config: { outbound: { timeoutMs: 300 } } })
    await addAlice(server)
    expect(await share()).toMatchObject({ state: 'pending', payloadShape: 'multi' })
    await runAfter('5s')
    expect(await only()).toMatchObject({ state: 'sent', payloadShape: 'multi' })
  })

  it('waits as long as the peer asks', async () => {
    peer.replyToShares({ status: 429, headers: { 'retry-after': '600' } })
    await share()
    const [entry] = await server.services().outbox.list()
    expect(entry?.nextAttemptAt).toBe(server.clock.now() + 600_000)
  })
})
