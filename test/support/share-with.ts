import type { NewShare } from '../../src/shares/index.ts'
import type { IndependentPeer, ReceivedShare } from './peer/independent-peer.ts'
import type { TestServer } from './start-server.ts'

export interface SharedFolder {
  readonly id: string
  /** The refresh token, as the peer received it. */
  readonly secret: string
  readonly received: ReceivedShare
}

/** Shares something with `bob` of the peer and waits until it has arrived. */
export async function shareWith(
  server: TestServer,
  peer: IndependentPeer,
  wanted: Partial<NewShare> = {},
): Promise<SharedFolder> {
  const { shares } = server.services()
  const share = await shares.createShare({
    owner: 'alice',
    path: '/Holiday',
    recipient: `bob@${peer.host}`,
    ...wanted,
  })
  const received = peer.shares.findLast(({ body }) => body.providerId === share.id)
  if (share.state !== 'sent' || received === undefined) {
    throw new Error(`share ${share.state}: ${share.problem ?? 'not received'}`)
  }
  const secret = received.body.protocol.webdav.sharedSecret
  server.secrets.add(secret)
  return { id: share.id, secret, received }
}

/** alice with `/Holiday` (`beach.txt`, `more/deep.txt`) and a file beside it. */
export async function addAlice(server: TestServer): Promise<string> {
  const password = await server.addUser('alice')
  await server.addFile('alice', 'Holiday/beach.txt', 'sun and sand')
  await server.addFile('alice', 'Holiday/more/deep.txt', 'deep')
  await server.addFile('alice', 'diary.txt', 'dear diary')
  return password
}
