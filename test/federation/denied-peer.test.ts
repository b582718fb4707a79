import { describe, expect, it } from '@jest/globals'
import { loadConfig } from '../../src/config/index.ts'
import { openServices } from '../../src/services.ts'
import { bearer, davClient } from '../support/dav-client.ts'
import { independentPeer } from '../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer } from '../support/start-server.ts'
import { writeFile } from 'node:fs/promises'

describe('a peer that is denied after it got a share (RFC 9700 §4.14)', () => {
  it('opens nothing any more, neither with its tokens nor with its code', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const { secret } = await shareWith(server, peer)
    const token = await peer.exchange(server, secret)
    const open = async (credential: string) =>
      (await davClient(`${server.url}/dav/ocm/`, bearer(credential)).get('beach.txt')).status
    expect([await open(token), await open(secret)]).toEqual([200, 200])

    const denying = { publicUrl: server.url, dev: true, federation: { deny: [peer.host] } }
    await writeFile(server.configFile, JSON.stringify(denying))
    const config = loadConfig({ file: server.configFile, environment: {} })
    const services = await openServices(config, server.log.log, { clock: server.clock })
    expect(await services.tokens.verify(token)).toMatchObject({ status: 'invalid' })
    expect(await services.shares.findLiveShare(secret)).toBeUndefined()
    await services.close()
  })
})
