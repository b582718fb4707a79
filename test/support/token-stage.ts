import { expect } from '@jest/globals'
import type { Answer } from './http-request.ts'
import { independentPeer } from './peer/independent-peer.ts'
import { addAlice, shareWith } from './share-with.ts'
import { startServer, type ServerOptions } from './start-server.ts'

export type TokenStage = Awaited<ReturnType<typeof tokenStage>>

/**
 * A server with one share for `peer`, and a `stranger` that is a peer too. The keys of both are
 * known to the server, so that whatever follows needs nobody.
 */
export async function tokenStage(options: ServerOptions = {}) {
  const server = await startServer(options)
  const peer = await independentPeer()
  const stranger = await independentPeer()
  await addAlice(server)
  const share = await shareWith(server, peer)
  await peer.exchange(server, share.secret)
  await stranger.exchange(server, (await shareWith(server, stranger)).secret)
  return {
    server,
    peer,
    stranger,
    share,
    /** The right fields of a token request. */
    fields: () => ({
      grant_type: 'authorization_code',
      client_id: peer.host,
      code: share.secret,
    }),
    close: () => Promise.all([peer.close(), stranger.close(), server.close()]),
  }
}

export const formOf = (fields: Record<string, string>): string =>
  new URLSearchParams(fields).toString()

/** A refusal in the dialect of RFC 6749 §5.2, never cached. */
export function expectOAuthError(answer: Answer | undefined, status: number, error: string): void {
  expect([answer?.status, answer?.json()['error']]).toEqual([status, error])
  expect(answer?.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' })
  expect(answer?.json()['error_description']).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
}
