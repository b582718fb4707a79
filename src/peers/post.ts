import { epochSeconds, withoutDeception, type Clock } from '../core/index.ts'
import { mediaType, parseJson, type GuardedClient } from '../http/index.ts'
import { signCavage, signRequest } from '../http-signatures/index.ts'
import type { LegacySigner, MessageSigner } from '../keys/index.ts'
import type { Discovery } from './discovery-document.ts'

/** A peer's answer to a message of ours. */
export interface PeerAnswer {
  readonly status: number
  /** What it says when it is not a success: one printable line, at most 300 characters. */
  readonly reason: string
  /** Its JSON, when it is JSON of a sane size. May hold a secret: never logged. */
  readonly body: unknown
  /** What it says its body is, without parameters. */
  readonly mediaType: string | undefined
  /** When it wants to be asked again (RFC 9110 §10.2.3). */
  readonly retryAfterSeconds: number | undefined
}

export interface PosterDeps {
  clock: Clock
  client: GuardedClient
  signer(): Promise<MessageSigner>
  /** `undefined`: draft-cavage is not spoken. */
  legacySigner: (() => Promise<LegacySigner>) | undefined
}

/** Sends messages to peers, signed for those that verify (OCM, "Applicability"). */
export function createPoster({ clock, client, signer, legacySigner }: PosterDeps) {
  async function signatureHeaders(
    discovery: Discovery,
    targetUri: string,
    body: Buffer,
  ): Promise<Record<string, string>> {
    const { capabilities, jwksUri, publicKey } = discovery
    const date = new Date(clock.now()).toUTCString()
    const request = { method: 'POST', targetUri, body }
    if (!capabilities.includes('http-sig')) {
      // Who publishes a key by its id verifies such signatures; the OCM stub, which names none,
      // takes `keyId` for a host name and dies of ours.
      if (legacySigner === undefined || publicKey?.keyId === undefined) return {}
      return signCavage(request, await legacySigner(), date)
    }
    // Draft-05 verifiers want the date covered; they are the ones that publish no jwksUri.
    const coverDate = jwksUri === undefined
    const headers = await signRequest(
      { ...request, ...(coverDate && { headers: { date } }) },
      await signer(),
      { created: epochSeconds(clock), coverDate },
    )
    return { ...headers, ...(coverDate && { date }) }
  }

  async function send(
    discovery: Discovery,
    url: string,
    contentType: string,
    text: string,
  ): Promise<PeerAnswer> {
    const body = Buffer.from(text)
    const signature = await signatureHeaders(discovery, url, body)
    const headers = { accept: 'application/json', 'content-type': contentType, ...signature }
    const answer = await client.request({ method: 'POST', url, headers, body })
    return {
      status: answer.status,
      reason: reasonOf(answer.body),
      body: readJson(answer.body),
      mediaType: mediaType(answer.headers['content-type']),
      retryAfterSeconds: readRetryAfter(answer.headers['retry-after'], clock.now()),
    }
  }

  return {
    /** A JSON message, below the peer's `endPoint`. */
    json: (discovery: Discovery, path: string, message: Record<string, unknown>) =>
      send(discovery, `${discovery.endPoint}${path}`, 'application/json', JSON.stringify(message)),

    /** A form, to a URL of the peer's. */
    form: (discovery: Discovery, url: string, fields: Readonly<Record<string, string>>) =>
      send(
        discovery,
        url,
        'application/x-www-form-urlencoded',
        new URLSearchParams(fields).toString(),
      ),
  }
}

const maxJsonBytes = 64 * 1024

function readJson(body: Uint8Array): unknown {
  if (body.length > maxJsonBytes) return undefined
  try {
    return parseJson(body)
  } catch {
    return undefined
  }
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function readRetryAfter(field: string | undefined, now: number): number | undefined {
  if (field === undefined) return undefined
  if (/^\d{1,9}$/.test(field)) return Number(field)
  // `Date.parse` takes almost anything for a date.
  const at = field.endsWith(' GMT') ? Date.parse(field) : NaN
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000))
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
  // A peer's text must not steer our terminal.
  return withoutDeception(typeof said === 'string' ? said : '', ' ')
    .replace(secretLike, '[hidden]')
    .trim()
    .slice(0, 300)
}
