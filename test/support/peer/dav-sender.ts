/**
 * A server that shares one folder or file in the way of one of the known peers: what opens it, and
 * until when, is up to the test. It shares no code with ours.
 */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { FakeClock } from '../fake-clock.ts'
import type { TestServer } from '../start-server.ts'
import { davStore } from './dav-store.ts'
import { serveDav } from './dav-server.ts'
import { independentPeer, type Hostile, type PeerReply } from './independent-peer.ts'
import { newPeerKey } from './signing.ts'
import { verifySender } from './verify-sender.ts'

/** What opens the share. */
export type Door =
  /** The secret as Basic user name, in the old form of an offer (Nextcloud until 34). */
  | 'basic'
  /** The secret as Basic user name, though the offer is of the new form. */
  | 'named-basic'
  /** The secret as Bearer (OpenCloud, ocmgo). */
  | 'bearer'
  /** An access token, and the secret until one was issued (Nextcloud). */
  | 'exchange'
  /** An access token and nothing else. */
  | 'strict'

export interface SenderOptions {
  readonly clock: Pick<FakeClock, 'now'>
  readonly door?: Door
  /** The share is this file and no folder. */
  readonly file?: string | Uint8Array
  /** Of access tokens. */
  readonly expiresIn?: number
  readonly permissions?: readonly string[]
}

/** A WebDAV request as it came. */
export interface DavCall {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** Whether the credential was good. */
  readonly opened: boolean
}

export type DavSender = Awaited<ReturnType<typeof davSender>>

const noSpelling = { resourceType: 'folder', name: 'Trip' }

export async function davSender({
  clock,
  door = 'bearer',
  file,
  expiresIn = 3600,
  permissions = ['read', 'write'],
}: SenderOptions) {
  const exchanges = door === 'exchange' || door === 'strict'
  const peer = await independentPeer(
    exchanges
      ? {}
      : {
          discovery: {
            capabilities: ['http-sig', 'protocol-object'],
            tokenEndPoint: undefined,
          },
        },
  )
  const root = '/remote/trip'
  const store = davStore(file)
  const secret = randomBytes(24).toString('base64url')
  const calls: DavCall[] = []
  /** Every exchange that was asked for, and how it was answered. */
  const asked: { readonly form: Record<string, string>; readonly status: number }[] = []
  const issued = new Map<string, number>()
  const everIssued = new Set<string>()
  const tokenReplies: (PeerReply | Hostile)[] = []
  let revoked: PeerReply | undefined
  let misdeed: { readonly by: Hostile; readonly methods: readonly string[] } | undefined
  let holding: Promise<void> | undefined

  const opens = (authorization = ''): boolean => {
    const [scheme = '', value = ''] = authorization.split(' ')
    if (revoked !== undefined) return false
    if (scheme === 'Bearer') {
      if ((issued.get(value) ?? 0) > clock.now()) return true
      const wants = door === 'bearer' || (door === 'exchange' && everIssued.size === 0)
      return wants && value === secret
    }
    const [user] = Buffer.from(value, 'base64').toString().split(':')
    const wants =
      door === 'basic' || door === 'named-basic' || (door === 'exchange' && everIssued.size === 0)
    return scheme === 'Basic' && wants && user === secret
  }

  peer.takeOver(`${root}*`, (req, res) => {
    const { method = '', url = '', headers } = req
    const opened = opens(headers.authorization)
    calls.push({ method, path: decodeURIComponent(url.slice(root.length)), headers, opened })
    if (misdeed && (misdeed.methods.length === 0 || misdeed.methods.includes(method))) {
      misdeed.by(req, res)
    } else if (opened) void serveDav(root, store, req, res).catch(() => void req.socket.destroy())
    else refuse(req, res)
  })

  /** It waits for the body, as servers do that stand behind a proxy. */
  function refuse(req: IncomingMessage, res: ServerResponse): void {
    const challenge = exchanges ? 'Bearer error="invalid_token"' : 'Basic realm="theirs"'
    req.on('end', () => {
      res.writeHead(401, { 'www-authenticate': challenge }).end('who are you?')
    })
    req.resume()
  }

  async function exchange(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await text(req)
    const form = Object.fromEntries(new URLSearchParams(body))
    const headers = req.headers as Record<string, string | undefined>
    const targetUri = `${peer.url}/ocm/token`
    const { ok } = await verifySender({ method: 'POST', targetUri, headers, body })
    await holding
    const planned = tokenReplies.shift()
    if (typeof planned === 'function') {
      asked.push({ form, status: 0 })
      planned(req, res)
      return
    }
    const reply = planned ?? judge(form, ok)
    asked.push({ form, status: reply.status })
    res
      .writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
      .end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body))
  }

  function judge(form: Record<string, string>, isSigned: boolean): PeerReply {
    if (!isSigned) return { status: 401, body: { error: 'invalid_request' } }
    if (revoked) return revoked
    const isGood = form['grant_type'] === 'authorization_code' && form['code'] === secret
    if (!isGood) return { status: 400, body: { error: 'invalid_grant' } }
    const token = randomBytes(24).toString('base64url')
    issued.set(token, clock.now() + expiresIn * 1000)
    everIssued.add(token)
    return {
      status: 200,
      body: { access_token: token, token_type: 'Bearer', expires_in: expiresIn },
    }
  }
  peer.takeOver('/ocm/token', (req, res) => void exchange(req, res))

  const protocol =
    door === 'basic'
      ? { name: 'webdav', options: { sharedSecret: secret } }
      : {
          name: 'multi',
          webdav: {
            uri: `${peer.url}${root}`,
            sharedSecret: secret,
            permissions,
            ...(door === 'strict' && { requirements: ['must-exchange-token'] }),
          },
        }

  return {
    ...peer,
    store,
    secret,
    calls,
    asked,
    /** Every access token that was issued. */
    everIssued,
    /** Offers the share to a user, who accepts it; returns the user's id of it. */
    async give(server: TestServer, username: string, change: Record<string, unknown> = {}) {
      server.secrets.add(secret)
      if (door === 'basic') {
        // The old form says no place: it is where the discovery document has WebDAV.
        const protocols = { webdav: `${root}/` }
        const resourceTypes = ['file', 'folder'].map((name) => ({
          name,
          shareTypes: ['user'],
          protocols,
        }))
        peer.changeDiscovery({ resourceTypes })
      }
      const einstein = `einstein@${peer.host}`
      const providerId = randomBytes(8).toString('hex')
      const answer = await peer.offer(server, {
        ...noSpelling,
        shareWith: `${username}@${server.authority}`,
        providerId,
        owner: einstein,
        sender: einstein,
        shareType: 'user',
        protocol,
        ...(file !== undefined && { name: 'trip.txt', resourceType: 'file' }),
        ...change,
      })
      if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`)
      const { incoming } = server.services()
      const found = (await incoming.list()).find((one) => one.providerId === providerId)
      if (found === undefined) throw new Error('the offer is not there')
      await incoming.accept(found.id)
      return found.id
    },
    /** From now on these methods, or all, are answered so; nobody's files are touched. */
    misbehave: (by: Hostile, ...methods: readonly string[]) => void (misdeed = { by, methods }),
    behave: () => void (misdeed = undefined),
    /** No access token that was issued is good any more. */
    expire(): void {
      issued.clear()
    },
    /** The share has ended here and nobody was told. */
    revoke: (reply: PeerReply = { status: 400, body: { error: 'invalid_grant' } }) =>
      void (revoked = reply),
    restore: () => void (revoked = undefined),
    /** Another signing key, and no token of the old one is good any more. */
    rekey(): void {
      issued.clear()
      peer.publishKeys([newPeerKey(`${peer.url}/ocm#another-key`).jwk])
    },
    /** The next answers of the token endpoint. */
    replyToExchanges: (...next: (PeerReply | Hostile)[]) => void tokenReplies.push(...next),
    /** Exchanges wait for this; undefined lets them go on. */
    holdExchanges: (until: Promise<void> | undefined) => void (holding = until),
  }
}
