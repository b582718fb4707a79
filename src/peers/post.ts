import { epochSeconds, type Clock } from '../core/index.ts'
import type { GuardedClient } from '../http/index.ts'
import { signRequest } from '../http-signatures/index.ts'
import type { MessageSigner } from '../keys/index.ts'
import type { Discovery } from './discovery-document.ts'

/** A peer's answer to a message of ours. */
export interface PeerAnswer {
  readonly status: number
  /** What it says when it is not a success: one printable line, at most 300 characters. */
  readonly reason: string
}

export interface PosterDeps {
  clock: Clock
  client: GuardedClient
  signer(): Promise<MessageSigner>
}

/** Sends JSON messages to peers, signed for those that verify (OCM, "Applicability"). */
export function createPoster({ clock, client, signer }: PosterDeps) {
  async function signatureHeaders(discovery: Discovery, targetUri: string, body: Buffer) {
    if (!discovery.capabilities.includes('http-sig')) return {}
    // Draft-05 verifiers want the date covered; they are the ones that publish no jwksUri.
    const coverDate = discovery.jwksUri === undefined
    const date = new Date(clock.now()).toUTCString()
    const headers = await signRequest(
      { method: 'POST', targetUri, body, ...(coverDate && { headers: { date } }) },
      await signer(),
      { created: epochSeconds(clock), coverDate },
    )
    return { ...headers, ...(coverDate && { date }) }
  }

  return async function post(
    discovery: Discovery,
    path: string,
    message: Record<string, unknown>,
  ): Promise<PeerAnswer> {
    const url = `${discovery.endPoint}${path}`
    const body = Buffer.from(JSON.stringify(message))
    const signature = await signatureHeaders(discovery, url, body)
    const headers = {
      accept: 'application/json',
      'content-type': 'application/json',
      ...signature,
    }
    const answer = await client.request({ method: 'POST', url, headers, body })
    return { status: answer.status, reason: reasonOf(answer.body) }
  }
}

/** What could be a secret of ours that the peer throws back at us. */
const secretLike = /[A-Za-z0-9_-]{32,}/g

/** Peers explain themselves in `message`, `error` or plain text. */
function reasonOf(body: Uint8Array): string {
  const text = Buffer.from(body).toString('utf8')
  let said: unknown = text
  try {
    const json: unknown = JSON.parse(text)
    if (typeof json === 'object' && json !== null) {
      const { message, error } = json as { message?: unknown; error?: unknown }
      said = message ?? error ?? ''
    }
  } catch {
    // Not JSON: the text itself is the reason.
  }
  // Control characters: a peer's text must not steer our terminal.
  return (typeof said === 'string' ? said : '')
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .replace(secretLike, '[hidden]')
    .trim()
    .slice(0, 300)
}
