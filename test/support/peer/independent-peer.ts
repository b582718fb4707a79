/**
 * An OCM server that shares no code with ours: its own keys, signer, verifier, JWK Set and
 * discovery, on a socket of its own. What it answers, and when, is up to the test.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request, type Answer } from '../http-request.ts'
import { discoveryOf, type DiscoveryDocument, type Flavour } from './discovery.ts'
import {
  newPeerKey,
  signMessage,
  type PeerAlgorithm,
  type PeerKey,
  type Recipe,
} from './signing.ts'
import { verifySender, type SenderVerdict } from './verify-sender.ts'

export interface ReceivedShare {
  readonly body: ShareBody
  readonly headers: Readonly<Record<string, string | undefined>>
  /** What the peer thinks of the signature. */
  readonly sender: SenderVerdict
}

export interface ShareBody extends Record<string, unknown> {
  readonly providerId: string
  readonly protocol: {
    readonly name: string
    readonly options?: Record<string, unknown>
    readonly webdav: { readonly uri: string; readonly sharedSecret: string } & Record<
      string,
      unknown
    >
  }
}

/** An answer of the peer's. */
export interface PeerReply {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Takes over one path entirely. */
export type Hostile = (req: IncomingMessage, res: ServerResponse) => void

export interface PeerOptions {
  readonly flavour?: Flavour
  readonly algorithm?: PeerAlgorithm
  /** Changes to the flavour's discovery document; `undefined` removes a member. */
  readonly discovery?: DiscoveryDocument
}

export interface TokenRequestOptions extends Recipe {
  /** The whole body, instead of one made from the code. */
  readonly body?: string
  readonly contentType?: string
  /** Sent instead of the signed body. */
  readonly sentBody?: string | Uint8Array
  readonly unsigned?: boolean
  /** Fields that are sent but not signed; they win. */
  readonly extra?: Readonly<Record<string, string>> | readonly (readonly [string, string])[]
  /** Another path than the token endpoint, e.g. to replay a message elsewhere. */
  readonly sendTo?: string
  readonly key?: PeerKey
}

export type IndependentPeer = Awaited<ReturnType<typeof independentPeer>>

const read = async (req: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const chunk of req) text += String(chunk)
  return text
}

export async function independentPeer(options: PeerOptions = {}) {
  const server = createServer((req, res) => void serve(req, res))
  // Our server tries https first; a TLS hello is no HTTP request.
  server.on('clientError', (_error, socket) => void socket.destroy())
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const host = `127.0.0.1:${port}`
  const url = `http://${host}`
  const key = newPeerKey(`${url}/ocm#peer-key`, options.algorithm)

  let discovery: DiscoveryDocument = {
    ...discoveryOf(options.flavour ?? 'plain', url),
    ...options.discovery,
  }
  let publishedKeys: unknown[] = [key.jwk]
  const requests: string[] = []
  const shares: ReceivedShare[] = []
  const replies: PeerReply[] = []
  const hostile = new Map<string, Hostile>()
  let whileOpen: ((share: ReceivedShare) => Promise<void>) | undefined

  const below = (path: string): Hostile | undefined =>
    [...hostile].find(([place]) => place.endsWith('*') && path.startsWith(place.slice(0, -1)))?.[1]

  const pathOf = (member: unknown, standard: string): string =>
    typeof member === 'string' ? new URL(member, url).pathname : standard

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = req.url ?? ''
    requests.push(`${req.method ?? ''} ${path}`)
    const takeOver = hostile.get(path) ?? below(path)
    if (takeOver !== undefined) {
      takeOver(req, res)
      return
    }
    const endPoint = pathOf(discovery['endPoint'], '/ocm')
    if (path === '/.well-known/ocm') reply(res, { status: 200, body: discovery })
    else if (path === pathOf(discovery['jwksUri'], '/.well-known/jwks.json')) {
      reply(res, { status: 200, body: { keys: publishedKeys } })
    } else if (path === `${endPoint}/shares`) await takeShare(req, res, url + path)
    else reply(res, { status: 404, body: { message: 'nothing here' } })
  }

  async function takeShare(req: IncomingMessage, res: ServerResponse, targetUri: string) {
    const body = await read(req)
    const headers = req.headers as Record<string, string | undefined>
    const method = req.method ?? ''
    const sender = await verifySender({ method, targetUri, headers, body })
    const share = { body: JSON.parse(body) as ShareBody, headers, sender }
    shares.push(share)
    await whileOpen?.(share)
    reply(res, replies.shift() ?? { status: 201, body: { recipientDisplayName: 'Bob' } })
  }

  function reply(res: ServerResponse, { status, body, headers = {} }: PeerReply): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body ?? {})
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
  }

  /** Asks for a token the way OCM wants it, except for what `how` says. */
  async function askToken(
    server: { readonly url: string; readonly clock: { seconds(): number } },
    code: string,
    how: TokenRequestOptions = {},
  ): Promise<Answer> {
    const form = { grant_type: 'authorization_code', client_id: host, code }
    const body = how.body ?? new URLSearchParams(form).toString()
    const targetUri = `${server.url}/ocm/token`
    const now = server.clock.seconds()
    const message = { method: 'POST', targetUri, body }
    const { headers } =
      how.unsigned === true ? { headers: {} } : signMessage(message, how.key ?? key, now, how)
    const type = how.contentType ?? 'application/x-www-form-urlencoded'
    const own = { ...(type !== '' && { 'content-type': type }), ...headers }
    const all = mergeFields(own, how.extra)
    return request(how.sendTo ?? targetUri, {
      method: 'POST',
      headers: all,
      body: how.sentBody ?? body,
    })
  }

  /** Posts JSON, or whatever the body is, signed unless told otherwise. */
  async function tell(
    server: { readonly url: string; readonly clock: { seconds(): number } },
    path: string,
    told: unknown,
    how: TokenRequestOptions = {},
  ): Promise<Answer> {
    const body = how.body ?? JSON.stringify(told)
    const targetUri = server.url + path
    const message = { method: 'POST', targetUri, body }
    const now = server.clock.seconds()
    const { headers } =
      how.unsigned === true ? { headers: {} } : signMessage(message, how.key ?? key, now, how)
    const type = how.contentType ?? 'application/json'
    const own = { ...(type !== '' && { 'content-type': type }), ...headers }
    const sent = { method: 'POST', headers: mergeFields(own, how.extra) }
    return request(how.sendTo ?? targetUri, { ...sent, body: how.sentBody ?? body })
  }

  function close(): Promise<void> {
    return new Promise((done) => {
      server.close(() => done())
      server.closeAllConnections()
    })
  }

  return {
    url,
    /** Normalised, as behind the `@` of its users. */
    host,
    key,
    /** `POST …/shares` as received, oldest first. */
    shares,
    /** `GET /.well-known/ocm` and so on, in order. */
    requests,
    askToken,
    /** Posts to any path of the server. */
    tell,
    /** Offers a share. */
    offer: (server: Parameters<typeof tell>[0], offered: unknown, how?: TokenRequestOptions) =>
      tell(server, '/ocm/shares', offered, how),
    /** Sends a notification. */
    notify: (server: Parameters<typeof tell>[0], notice: unknown, how?: TokenRequestOptions) =>
      tell(server, '/ocm/notifications', notice, how),
    /** An access token, or an error with what the server said instead. */
    async exchange(server: Parameters<typeof askToken>[0], code: string): Promise<string> {
      const answer = await askToken(server, code)
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
      return String(answer.json()['access_token'])
    },
    /** The next answers to `POST …/shares`; afterwards 201 again. */
    replyToShares: (...next: PeerReply[]) => void replies.push(...next),
    /** Runs inside the open `POST …/shares`, before it is answered. */
    duringShare: (work: typeof whileOpen) => void (whileOpen = work),
    /** Answers this path itself from now on; `/remote/*` and all below. */
    takeOver: (path: string, by: Hostile) => void hostile.set(path, by),
    /** How many connections to it are open. */
    connections: () =>
      new Promise<number>((done) => server.getConnections((_error, count) => done(count))),
    /** Nobody listens at its port until `answerAgain`. */
    goAway: close,
    answerAgain: () => new Promise<void>((done) => server.listen(port, '127.0.0.1', done)),
    changeDiscovery: (change: DiscoveryDocument) => void (discovery = { ...discovery, ...change }),
    publishKeys: (keys: unknown[]) => void (publishedKeys = keys),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function mergeFields(
  own: Readonly<Record<string, string>>,
  extra: TokenRequestOptions['extra'] = {},
): readonly (readonly [string, string])[] {
  if (Array.isArray(extra)) {
    return [...Object.entries(own), ...(extra as readonly (readonly [string, string])[])]
  }
  return Object.entries({ ...own, ...(extra as Readonly<Record<string, string>>) })
}
