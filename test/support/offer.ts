import { randomUUID } from 'node:crypto'
import { readFixture } from './fixtures.ts'
import type { IndependentPeer } from './peer/independent-peer.ts'
import type { TestServer } from './start-server.ts'

/** Everything in an offer that a test may want to be otherwise. */
export type Offer = Record<string, unknown>

/** What a current peer sends for `marie`. */
export function offerOf(
  server: Pick<TestServer, 'authority' | 'secrets'>,
  peer: IndependentPeer,
  change: Offer = {},
): Offer {
  const secret = randomUUID()
  server.secrets.add(secret)
  const einstein = `einstein@${peer.host}`
  return {
    shareWith: `marie@${server.authority}`,
    name: 'Trip',
    providerId: randomUUID(),
    owner: einstein,
    ownerDisplayName: 'Albert Einstein',
    sender: einstein,
    senderDisplayName: 'Albert Einstein',
    shareType: 'user',
    resourceType: 'folder',
    protocol: {
      name: 'multi',
      webdav: { uri: `${peer.url}/remote/trip`, sharedSecret: secret, permissions: ['read'] },
    },
    ...change,
  }
}

/** A recorded offer, from this peer to this server. */
export function recordedOffer(name: string, server: TestServer, peer: IndependentPeer): Offer {
  return movedHere(readFixture(`shares/${name}`), server, peer) as Offer
}

/** The hosts of a recording become those of a test. */
export function movedHere(recorded: unknown, server: TestServer, peer: IndependentPeer): unknown {
  const text = JSON.stringify(recorded)
    .replaceAll('https://ours.example.org', server.url)
    .replaceAll('ours.example.org', server.authority)
    .replaceAll(/https:\/\/[a-z0-9]+\.example\.org/g, peer.url)
    .replaceAll(/[a-z0-9]+\.example\.org/g, peer.host)
  return JSON.parse(text)
}
