import { describe, expect, it } from '@jest/globals'
import { runCliHere } from '../support/cli-in-process.ts'
import { basic, bearer, davClient } from '../support/dav-client.ts'
import { independentPeer } from '../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer } from '../support/start-server.ts'

type Client = ReturnType<typeof davClient>

/** Asked twice each, so that whatever may be kept of them is. */
async function statuses(client: Client): Promise<number[]> {
  const seen = []
  for (let round = 0; round < 2; round += 1) {
    seen.push((await client.propfind('', '1')).status, (await client.get('beach.txt')).status)
  }
  return seen
}

const opened = [207, 200, 207, 200]
const closed = [401, 401, 401, 401]

describe('the end of access, where answers are kept', () => {
  it.each(['this process', 'another'])(
    'is in the very next answer when %s causes it',
    async (who) => {
      await using server = await startServer()
      await using peer = await independentPeer()
      await addAlice(server)
      const others = await shareWith(server, peer)
      const other = davClient(`${server.url}/dav/ocm/`, bearer(others.secret))
      for (let round = 0; round < 5; round += 1) {
        const { id, secret } = await shareWith(server, peer)
        const token = bearer(await peer.exchange(server, secret))
        const clients = ['', `${id}/`].map((path) =>
          davClient(`${server.url}/dav/ocm/${path}`, token),
        )
        for (const client of clients) expect(await statuses(client)).toEqual(opened)
        if (who === 'this process') await server.services().shares.revokeShare(id)
        else {
          const args = ['--config', server.configFile, 'share', 'revoke', id]
          expect((await runCliHere(args, server.dir)).code).toBe(0)
        }
        for (const client of clients) expect(await statuses(client)).toEqual(closed)
        // The same folder, the same answers, and another's right to them.
        expect(await statuses(other)).toEqual(opened)
      }
    },
  )

  it('comes for a password at once, and ends at once', async () => {
    await using server = await startServer()
    const password = await addAlice(server)
    const alice = davClient(`${server.url}/dav/files/alice/Holiday/`, basic('alice', password))
    for (let round = 0; round < 3; round += 1) {
      expect(await statuses(alice)).toEqual(opened)
      await server.services().users.disableUser('alice')
      expect(await statuses(alice)).toEqual(closed)
      await server.services().users.enableUser('alice')
    }
  })
})

describe('shares of one folder with different permissions', () => {
  it('never have each other’s listing, whoever asks first', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const words = [['read'], ['read', 'write'], ['read', 'write', 'share']] as const
    const ask =
      '<D:propfind xmlns:D="DAV:"><D:prop><D:supportedlock/>' +
      '<share-permissions xmlns="http://open-cloud-mesh.org/ns"/></D:prop></D:propfind>'
    const clients: [string, Client][] = []
    for (const permissions of words) {
      const { secret } = await shareWith(server, peer, { permissions: [...permissions] })
      const token = await peer.exchange(server, secret)
      const client = davClient(`${server.url}/dav/ocm/`, bearer(token))
      clients.push([JSON.stringify(permissions), client])
    }
    for (let round = 0; round < 12; round += 1) {
      const [expected, client] = clients[(round * 5) % 3] as [string, Client]
      const { text } = await client.propfind('', '1', ask)
      const found = [...text.matchAll(/<ocm:share-permissions>([^<]*)/g)].map(
        ([, value = '']) => value,
      )
      expect(found).toHaveLength(3)
      expect(new Set(found.map((value) => value.replaceAll('&quot;', '"')))).toEqual(
        new Set([expected]),
      )
      expect(text.includes('<D:lockentry>')).toBe(expected.includes('write'))
      if (round % 4 === 3) await server.addFile('alice', 'Holiday/beach.txt', `round ${round}`)
    }
  })
})
