import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createListener } from '../../../src/app.ts'
import { loadConfig } from '../../../src/config/index.ts'
import { createLogger } from '../../../src/core/index.ts'
import { createApp } from '../../../src/create-app.ts'
import { createHttpServer, type HttpHandler } from '../../../src/http/index.ts'
import { addShare, getAccessToken } from './share.ts'

/** A tree as litmus reaches it. */
export interface Target {
  readonly url: string
  readonly username: string
  readonly password: string
}

export interface LitmusServer extends AsyncDisposable {
  readonly targets: Readonly<Record<Who, Target>>
  /** Where litmus may leave its traces. */
  readonly scratch: string
}

export const whos = [
  'user',
  'share with its secret',
  'share with an access token',
  'mount on another server',
] as const

export type Who = (typeof whos)[number]

/** litmus speaks Basic alone; for this login the front of the server presents the token. */
const stand = { username: 'bearer', password: 'none' }
const standIn = `Basic ${Buffer.from('bearer:none').toString('base64')}`

const log = createLogger({ level: 'silent', format: 'json' })

/** A whole davmesh on a socket, in a folder of its own. */
async function openServer(folder: string) {
  mkdirSync(folder)
  let handler: HttpHandler = () => undefined
  const http = createHttpServer((req, res) => handler(req, res), { log })
  const { port } = await http.listen({ host: '127.0.0.1', port: 0 })
  const publicUrl = `http://127.0.0.1:${port}`
  const file = join(folder, 'config.json')
  writeFileSync(file, JSON.stringify({ publicUrl, dataDir: './data', dev: true }))
  const app = await createApp(loadConfig({ file, environment: {} }), { log })
  const { listener, web } = createListener(app.services)
  http.adopt(web)
  handler = listener
  return {
    publicUrl,
    services: app.services,
    /** Answers in place of the server, which is handed over. */
    stepBefore: (front: (next: HttpHandler) => HttpHandler) => void (handler = front(listener)),
    async [Symbol.asyncDispose]() {
      await http.close(1000)
      await app.close()
    },
  }
}

type Server = Awaited<ReturnType<typeof openServer>>

/** A folder of alice's on one server that bob has among his own on the other; returns its name. */
async function addMount(alices: Server, bobs: Server): Promise<string> {
  const recipient = `bob@${new URL(bobs.publicUrl).host}`
  const { id } = await alices.services.shares.createShare({
    owner: 'alice',
    path: '/mounted',
    recipient,
    permissions: ['read', 'write'],
  })
  const { incoming } = bobs.services
  const [offer] = await incoming.findOffers(id)
  return (await incoming.accept(offer?.id ?? '')).mountName ?? ''
}

/** A user, a writable folder of hers that a peer may open, and one that a second server mounts. */
export async function startLitmusServer(): Promise<LitmusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'litmus-'))
  const alices = await openServer(join(folder, 'alice'))
  const bobs = await openServer(join(folder, 'bob'))
  const { user, password = '' } = await alices.services.users.addUser({ username: 'alice' })
  const bob = await bobs.services.users.addUser({ username: 'bob' })
  mkdirSync(join(user.home, 'shared'))
  mkdirSync(join(user.home, 'mounted'))
  const secret = await addShare(alices.services, user.id)
  const token = await getAccessToken(alices.services, secret)
  alices.stepBefore((next) => (req, res) => {
    req.rawHeaders = req.rawHeaders.map((text) => (text === standIn ? `Bearer ${token}` : text))
    return next(req, res)
  })
  const mount = await addMount(alices, bobs)
  const ocm = `${alices.publicUrl}/dav/ocm/`
  return {
    targets: {
      user: { url: `${alices.publicUrl}/dav/files/alice/`, username: 'alice', password },
      'share with its secret': { url: ocm, username: secret, password: 'none' },
      'share with an access token': { url: ocm, ...stand },
      'mount on another server': {
        url: `${bobs.publicUrl}/dav/files/bob/Shared/${mount}/`,
        username: 'bob',
        password: bob.password ?? '',
      },
    },
    scratch: folder,
    async [Symbol.asyncDispose]() {
      await bobs[Symbol.asyncDispose]()
      await alices[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true })
    },
  }
}
