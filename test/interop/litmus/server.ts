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

export const whos = ['user', 'share with its secret', 'share with an access token'] as const

export type Who = (typeof whos)[number]

/** litmus speaks Basic alone; for this login the front of the server presents the token. */
const stand = { username: 'bearer', password: 'none' }
const standIn = `Basic ${Buffer.from('bearer:none').toString('base64')}`

/** A whole davmesh with a user, and a writable folder of hers that a peer may open. */
export async function startLitmusServer(): Promise<LitmusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'litmus-'))
  const log = createLogger({ level: 'silent', format: 'json' })
  let handler: HttpHandler = () => undefined
  const http = createHttpServer((req, res) => handler(req, res), { log })
  const { port } = await http.listen({ host: '127.0.0.1', port: 0 })
  const publicUrl = `http://127.0.0.1:${port}`
  const file = join(folder, 'config.json')
  writeFileSync(file, JSON.stringify({ publicUrl, dataDir: './data', dev: true }))
  const app = await createApp(loadConfig({ file, environment: {} }), { log })
  const { listener, web } = createListener(app.services)
  const { user, password = '' } = await app.services.users.addUser({ username: 'alice' })
  mkdirSync(join(user.home, 'shared'))
  const secret = await addShare(app.services, user.id)
  const token = await getAccessToken(app.services, secret)
  http.adopt(web)
  handler = (req, res) => {
    req.rawHeaders = req.rawHeaders.map((text) => (text === standIn ? `Bearer ${token}` : text))
    return listener(req, res)
  }
  const ocm = `${publicUrl}/dav/ocm/`
  return {
    targets: {
      user: { url: `${publicUrl}/dav/files/alice/`, username: 'alice', password },
      'share with its secret': { url: ocm, username: secret, password: 'none' },
      'share with an access token': { url: ocm, ...stand },
    },
    scratch: folder,
    async [Symbol.asyncDispose]() {
      await http.close(1000)
      await app.close()
      rmSync(folder, { recursive: true })
    },
  }
}
