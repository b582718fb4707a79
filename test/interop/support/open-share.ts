import type { IndependentPeer } from '../../support/peer/independent-peer.ts'
import type { Davmesh } from './davmesh.ts'

/** A share that the peer can open. */
export interface OpenedShare {
  readonly id: string
  /** Where its files are. */
  readonly url: string
  readonly refreshToken: string
  readonly accessToken: string
}

export interface ShareWish {
  readonly owner: string
  readonly path: string
  readonly permissions?: string
}

/** Now, for signatures that a server with a real clock is to believe. */
export const epochSeconds = (): number => Math.floor(Date.now() / 1000)

/** Has davmesh share something with bob of the peer, who trades the refresh token at once. */
export async function openShare(
  davmesh: Davmesh,
  peer: IndependentPeer,
  { owner, path, permissions = 'read,write' }: ShareWish,
): Promise<OpenedShare> {
  const wish = [owner, path, `bob@${peer.host}`, '--permissions', permissions]
  const { id } = await davmesh.cli<{ id: string }>('share', 'create', ...wish)
  const received = peer.shares.findLast(({ body }) => body.providerId === id)
  if (received === undefined) throw new Error(`share ${id} did not arrive`)
  const { uri: url, sharedSecret: refreshToken } = received.body.protocol.webdav
  const server = { url: davmesh.url, clock: { seconds: epochSeconds } }
  return { id, url, refreshToken, accessToken: await peer.exchange(server, refreshToken) }
}
