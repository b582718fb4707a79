/** A peer that shares something with us: its token endpoint and its WebDAV, as a test wants them. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { RemoteRequest } from '../../src/mounts/remote-call.ts'
import { offerOf, type Offer } from './offer.ts'
import {
  independentPeer,
  type IndependentPeer,
  type PeerOptions,
  type PeerReply,
} from './peer/independent-peer.ts'
import { verifySender, type SenderVerdict } from './peer/verify-sender.ts'
import { startServer, type ServerOptions, type TestServer } from './start-server.ts'
import { unvisited } from './unvisited.ts'

/** A token request that arrived. */
export interface AskedToken {
  readonly fields: Readonly<Record<string, string>>
  readonly contentType: string | undefined
  readonly sender: SenderVerdict
}

/** A WebDAV request that arrived. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly authorization: string | undefined
  readonly body: string
}

export interface Sending {
  readonly peer: IndependentPeer
  /** Values of `Authorization` that open the share; access tokens come in by themselves. */
  readonly accepts: Set<string>
  readonly asked: AskedToken[]
  readonly seen: SeenRequest[]
  /** The token that was given last. */
  lastToken(): string
  /** What an access token lives. */
  lifeSeconds: number
  /** The next answers of the token endpoint; afterwards tokens again. */
  replyToExchange(...replies: PeerReply[]): void
  /** Runs while a token request is open. */
  duringExchange(work: () => Promise<void>): void
  /** What WebDAV says to whoever may; 207 of nothing unless told otherwise. */
  answerWebdav(answer: ((request: SeenRequest) => PeerReply | undefined) | undefined): void
}

/** What WebDAV below `/remote/` and the token endpoint of a peer say. */
export async function sendingPeer(options: PeerOptions = {}): Promise<Sending> {
  const peer = await independentPeer(options)
  const accepts = new Set<string>()
  const asked: AskedToken[] = []
  const seen: SeenRequest[] = []
  const replies: PeerReply[] = []
  let given = ''
  let during: (() => Promise<void>) | undefined
  let webdav: ((request: SeenRequest) => PeerReply | undefined) | undefined

  function issue(): PeerReply {
    given = randomUUID()
    accepts.add(`Bearer ${given}`)
    const life = { expires_in: sending.lifeSeconds }
    return { status: 200, body: { access_token: given, token_type: 'Bearer', ...life } }
  }

  async function exchange(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { method = '', url = '' } = req
    const headers = req.headers as Record<string, string | undefined>
    const body = await text(req)
    const sender = await verifySender({ method, targetUri: peer.url + url, headers, body })
    const fields = Object.fromEntries(new URLSearchParams(body))
    asked.push({ fields, contentType: headers['content-type'], sender })
    await during?.()
    reply(res, replies.shift() ?? issue())
  }

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = req
    const headers = req.headers as Record<string, string | undefined>
    const { authorization } = req.headers
    const request = { method, path, headers, authorization, body: await text(req).catch(() => '') }
    seen.push(request)
    if (!accepts.has(authorization ?? '')) {
      const challenge = { 'www-authenticate': 'Bearer realm="there", Basic realm="there"' }
      reply(res, { status: 401, body: 'who are you? <secret>', headers: challenge })
    } else reply(res, webdav?.(request) ?? { status: 207, body: '<multistatus xmlns="DAV:"/>' })
  }

  peer.takeOver('/ocm/token', (req, res) => void exchange(req, res))
  peer.takeOver('/remote/*', (req, res) => void serve(req, res))
  const sending: Sending = {
    peer,
    accepts,
    asked,
    seen,
    lastToken: () => given,
    lifeSeconds: 3600,
    replyToExchange: (...next) => void replies.push(...next),
    duringExchange: (work) => void (during = work),
    answerWebdav: (answer) => void (webdav = answer),
  }
  return sending
}

function reply(res: ServerResponse, { status, body, headers = {} }: PeerReply): void {
  const isText = typeof body === 'string'
  const type = isText ? 'text/plain' : 'application/json'
  const content = isText ? body : JSON.stringify(body ?? {})
  res.writeHead(status, { 'content-type': type, ...headers }).end(content)
}

/** How a share is offered. */
export const arms = {
  /** As current peers do, without a requirement. */
  named: (secret: string) => ({
    name: 'multi',
    webdav: { uri: 'trip', sharedSecret: secret, permissions: ['read', 'write'] },
  }),
  strict: (secret: string) => ({
    name: 'multi',
    webdav: {
      uri: 'trip',
      sharedSecret: secret,
      permissions: ['read', 'write'],
      requirements: ['must-exchange-token'],
    },
  }),
  options: (secret: string) => ({ name: 'webdav', options: { sharedSecret: secret } }),
} as const

/** A server with marie, who accepted one share of a peer. */
export interface AccessStage extends AsyncDisposable {
  readonly server: TestServer
  readonly sending: Sending
  readonly id: string
  readonly secret: string
  /** Asks where the share lives, and reads the answer to its end. */
  ask(request?: Partial<RemoteRequest>): Promise<{ status: number; text: string; url: string }>
  /** The row of the share. */
  row(): Record<string, unknown>
  /** Everybody's share, offered once more; accepted. */
  receive(arm: keyof typeof arms, change?: Offer): Promise<string>
  /** How each WebDAV request was authorised. */
  tried(): string[]
}

export interface AccessStageOptions {
  readonly arm?: keyof typeof arms
  readonly offer?: Offer
  readonly peer?: PeerOptions
  readonly server?: ServerOptions
}

export async function accessStage(options: AccessStageOptions = {}): Promise<AccessStage> {
  const server = await startServer({ courier: false, ...unvisited, ...options.server })
  const sending = await sendingPeer(options.peer)
  const { peer } = sending
  peer.takeOver('/ocm/notifications', (_req, res) => void res.writeHead(201).end('{}'))
  await server.addUser('marie')
  let secret = ''

  async function receive(arm: keyof typeof arms, change: Offer = {}): Promise<string> {
    secret = randomUUID()
    server.secrets.add(secret)
    const offer = offerOf(server, peer, { protocol: arms[arm](secret), ...change })
    const answer = await peer.offer(server, offer)
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`)
    const { incoming } = server.services()
    const [row] = await incoming.findOffers(String(offer['providerId']), peer.host)
    await incoming.accept(row?.id ?? '')
    return row?.id ?? ''
  }

  const id = await receive(options.arm ?? 'named', options.offer)
  return {
    server,
    sending,
    id,
    secret,
    async ask(request = {}) {
      const call = server.services().access.open({ id })
      const { status, body, url } = await call({ method: 'PROPFIND', path: [], ...request })
      return { status, text: await text(body), url }
    },
    row: () =>
      server
        .services()
        .db.raw.reader.prepare('SELECT * FROM incoming_shares WHERE id = ?')
        .get(id) as Record<string, unknown>,
    receive,
    tried: () => sending.seen.map(({ authorization }) => authorization ?? ''),
    async [Symbol.asyncDispose]() {
      await peer.close()
      await server.close()
    },
  }
}
