import { contacts, inTransaction } from '../../src/db/index.ts'
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
  const whole = { owner: 'alice', path: '/Holiday', recipient: `bob@${peer.host}`, ...wanted }
  const share = await shares.createShare(whole).catch(async (error: unknown) => {
    if ((error as { code?: unknown }).code !== 'invite_required') throw error
    await befriend(server, whole.owner, peer)
    return shares.createShare(whole)
  })
  const received = peer.shares.findLast(({ body }) => body.providerId === share.id)
  if (share.state !== 'sent' || received === undefined) {
    throw new Error(`share ${share.state}: ${share.problem ?? 'not received'}`)
  }
  const secret = received.body.protocol.webdav.sharedSecret
  server.secrets.add(secret)
  return { id: share.id, secret, received }
}

/** Makes `bob` of the peer a contact, as an accepted invite would. */
async function befriend(server: TestServer, owner: string, peer: IndependentPeer): Promise<void> {
  const { db, users } = server.services()
  const { id: userId } = await users.getUser(owner)
  const bob = { host: peer.host, identifier: 'bob', name: 'Bob', source: 'accepted' as const }
  await inTransaction(db, async (tx) => {
    await tx.insert(contacts).values({ id: peer.host, userId, addedAt: 0, ...bob })
  })
}

/** alice with `/Holiday` (`beach.txt`, `more/deep.txt`) and a file beside it. */
export async function addAlice(server: TestServer): Promise<string> {
  const password = await server.addUser('alice')
  await server.addFile('alice', 'Holiday/beach.txt', 'sun and sand')
  await server.addFile('alice', 'Holiday/more/deep.txt', 'deep')
  await server.addFile('alice', 'diary.txt', 'dear diary')
  return password
}
