import { request, type Answer } from './http-request.ts'
import type { IndependentPeer } from './peer/independent-peer.ts'
import { signMessage, type PeerKey, type Recipe } from './peer/signing.ts'
import type { TestServer } from './start-server.ts'

export interface Bringing extends Recipe {
  readonly unsigned?: boolean
  readonly key?: PeerKey
  readonly contentType?: string
  readonly path?: string
  /** Sent instead of the signed body. */
  readonly sentBody?: string
}

/** The token inside an invite string. */
export const tokenOf = (invite: string): string =>
  Buffer.from(invite, 'base64url')
    .toString()
    .replace(/@[^@]*$/, '')

/** What a peer says when bob uses an invite. */
export const acceptanceOf = (peer: IndependentPeer, invite: string) => ({
  recipientProvider: peer.host,
  token: tokenOf(invite),
  userID: 'bob',
  email: `bob@${peer.host}`,
  name: 'Bob',
})

/** `POST /ocm/invite-accepted`, signed by the peer unless `how` says otherwise. */
export function bring(
  server: TestServer,
  peer: IndependentPeer,
  body: unknown,
  how: Bringing = {},
): Promise<Answer> {
  const targetUri = `${server.url}${how.path ?? '/ocm/invite-accepted'}`
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const message = { method: 'POST', targetUri, body: text }
  const signed =
    how.unsigned === true
      ? {}
      : signMessage(message, how.key ?? peer.key, server.clock.seconds(), how).headers
  const type = how.contentType ?? 'application/json'
  const headers = { ...(type !== '' && { 'content-type': type }), ...signed }
  return request(targetUri, { method: 'POST', headers, body: how.sentBody ?? text })
}

/** Whom a user knows, without the time. */
export const contactsOf = async (server: TestServer, user: string) =>
  (await server.services().contacts.list(user)).map(({ address, name, source }) => ({
    address,
    name,
    source,
  }))
