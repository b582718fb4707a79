import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import {
  createAuthChain,
  type AuthOutcome,
  type AuthPlugin,
  type Permission,
  type Principal,
} from '../../../src/auth/index.ts'
import { createLogger, systemClock } from '../../../src/core/index.ts'
import {
  inTransaction,
  migrateDatabase,
  openDatabase,
  type Database,
} from '../../../src/db/index.ts'
import {
  createLocalState,
  createLocalTree,
  subtree,
  type Medium,
} from '../../../src/files/index.ts'
import { createHttpServer } from '../../../src/http/index.ts'
import { createWebdav, type RequestHandler, type WebdavDeps } from '../../../src/webdav/index.ts'
import { createResources } from '../../../src/resources/index.ts'
import { createSharePaths } from '../../../src/shares/index.ts'
import { dumpResources, listening, seed } from './seed.ts'

export const shareId = `shr-${'A'.repeat(22)}`
export const otherShareId = `shr-${'B'.repeat(22)}`

const basic = (username: string): string =>
  `Basic ${Buffer.from(`${username}:password`).toString('base64')}`

/** What each test can present. */
export const credentials = {
  alice: basic('alice'),
  bob: basic('bob'),
  /** A folder share with every permission. */
  writer: 'Bearer writer',
  /** The same folder, read only. */
  reader: 'Bearer reader',
  /** A share of one file, writable. */
  file: 'Bearer file',
  bad: 'Bearer bad',
  throttled: 'Bearer throttled',
  broken: 'Bearer broken',
}

export type Who = keyof typeof credentials

export interface Sent {
  method: string
  path: string
  as?: Who | undefined
  headers?: Record<string, string | string[]>
  body?: string | Buffer
  chunked?: boolean
}

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  rawHeaders: string[]
  body: string
  bytes: Buffer
}

export interface Scratch {
  port: number
  /** Alice's files on disk. */
  home: string
  log: string[]
  principals: Principal[]
  /** What WebDAV asked of the rows it keeps: the names of the verbs. */
  asked: string[]
  /** What the database holds of locks and properties, as text. */
  stored(): Promise<string>
  /** Forgets everything that is not on disk. */
  restart(): void
  send(sent: Sent): Promise<Reply>
  /** Bytes as they are; resolves with what came back when the server closes or goes quiet. */
  raw(text: string | Buffer): Promise<string>
  stop(): Promise<void>
}

const share = (
  permissions: readonly Permission[],
  resourceType: 'file' | 'folder',
): AuthOutcome => ({
  status: 'authenticated',
  principal: {
    kind: 'share',
    shareId,
    permissions,
    peer: 'peer.example',
    root: {
      ownerId: 'alice',
      path: resourceType === 'file' ? ['shared', 'note.txt'] : ['shared'],
      resourceType,
    },
  },
})

const tokens: Record<string, () => AuthOutcome> = {
  writer: () => share(['read', 'write', 'share'], 'folder'),
  reader: () => share(['read'], 'folder'),
  file: () => share(['read', 'write'], 'file'),
  bad: () => ({ status: 'rejected', failure: { code: 'invalid_token', reason: 'bad' } }),
  throttled: () => ({
    status: 'rejected',
    failure: { code: 'throttled', reason: 'too fast', retryAfterSeconds: 7 },
  }),
  broken: () => {
    throw new Error(`canary in ${tmpdir()}`)
  },
}

const bearer: AuthPlugin = {
  name: 'test-bearer',
  schemes: ['Bearer'],
  authenticate: (credential) =>
    Promise.resolve(
      (credential.scheme === 'Bearer' && tokens[credential.token]?.()) || { status: 'skip' },
    ),
  challenge: (failure) =>
    failure === undefined
      ? 'Bearer realm="davmesh"'
      : `Bearer realm="davmesh", error="${failure.code === 'invalid_request' ? 'invalid_request' : 'invalid_token'}"`,
}

const password: AuthPlugin = {
  name: 'test-basic',
  schemes: ['Basic'],
  authenticate: (credential) =>
    Promise.resolve<AuthOutcome>(
      credential.scheme === 'Basic' && ['alice', 'bob'].includes(credential.username)
        ? {
            status: 'authenticated',
            principal: { kind: 'user', userId: credential.username, username: credential.username },
          }
        : { status: 'skip' },
    ),
  challenge: () => 'Basic realm="davmesh"',
}

/** One server on port 0 over a directory of its own. */
export async function startScratch(
  overrides: Partial<WebdavDeps> = {},
  medium: Medium = 'auto',
): Promise<Scratch> {
  const root = mkdtempSync(join(tmpdir(), 'webdav-'))
  const home = join(root, 'alice')
  mkdirSync(join(home, 'shared'), { recursive: true })
  mkdirSync(join(root, 'bob'))
  const log: string[] = []
  const logger = createLogger({
    level: 'debug',
    format: 'json',
    stream: { write: (line: string) => void log.push(line) },
  })
  const late: { handle?: RequestHandler } = {}
  const server = createHttpServer((req, res) => late.handle?.(req, res), { log: logger })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  const principals: Principal[] = []
  const state = createLocalState()
  const treeOf = (user: string) =>
    createLocalTree({ root: join(root, user), durability: 'normal', medium, state })
  const data = join(root, 'davmesh.sqlite')
  const asked: string[] = []
  const clock = overrides.clock ?? systemClock
  const serve = (db: Database): RequestHandler =>
    createWebdav({
      resources: listening(
        createResources({ db, clock, followers: [createSharePaths(db)] }),
        asked,
      ),
      chain: createAuthChain([bearer, password]),
      openTree: (principal) => {
        if (principal.kind === 'user') return Promise.resolve(treeOf(principal.username))
        if (principal.kind !== 'share') return Promise.resolve(undefined)
        return Promise.resolve(subtree(treeOf('alice'), principal.root.path))
      },
      publicUrl: new URL(`http://localhost:${port}`),
      maxXmlBytes: 256 * 1024,
      maxUploadBytes: 1024 * 1024 * 1024,
      isShareId: (segment) => /^shr-[A-Za-z0-9]{22}$/.test(segment),
      log: logger,
      onIdentified: (_req, principal) => void principals.push(principal),
      ...overrides,
    }).handle
  let db = openDatabase(data)
  migrateDatabase(db, 0)
  await inTransaction(db, (tx) => seed(tx, shareId))
  late.handle = serve(db)
  return {
    port,
    home,
    log,
    principals,
    asked,
    stored: () => dumpResources(db),
    restart() {
      db.close()
      db = openDatabase(data)
      late.handle = serve(db)
    },
    send: (sent) => send(port, sent),
    raw: (text) => sendRaw(port, text),
    async stop() {
      await server.close(0)
      db.close()
      rmSync(root, { recursive: true })
    },
  }
}

function send(port: number, sent: Sent): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method, path, as, body = '', chunked = false } = sent
    const headers = {
      ...(as && { Authorization: credentials[as] }),
      ...(body.length > 0 && !chunked && { 'Content-Length': String(Buffer.byteLength(body)) }),
      ...(chunked && { 'Transfer-Encoding': 'chunked' }),
      ...sent.headers,
    }
    const req = request({ port, host: '127.0.0.1', method, path, headers, agent: false })
    req.on('error', reject)
    req.on('response', (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', reject)
      res.on('end', () => {
        const bytes = Buffer.concat(chunks)
        const { statusCode = 0, headers: fields, rawHeaders } = res
        resolve({ status: statusCode, headers: fields, rawHeaders, bytes, body: bytes.toString() })
      })
    })
    req.end(body)
  })
}

function sendRaw(port: number, text: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let heard = ''
    const finish = (): void => {
      socket.destroy()
      resolve(heard)
    }
    socket.setTimeout(400, finish)
    socket.on('data', (chunk) => (heard += chunk.toString('latin1')))
    socket.on('end', finish)
    socket.on('error', reject)
  })
}

/** Every name and byte under a directory, temporaries included. */
export function treeHash(directory: string): string {
  const hash = createHash('sha256')
  const walk = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true }).sort((one, other) =>
      one.name < other.name ? -1 : 1,
    )) {
      const child = join(path, entry.name)
      hash.update(`${child}\0`)
      if (entry.isDirectory()) walk(child)
      else if (entry.isFile()) hash.update(readFileSync(child))
    }
  }
  walk(directory)
  return hash.digest('hex')
}

/**
 * A refusal changes nothing (CI1), leaves the server alive (CI4) and says nothing of its inside
 * (CI5); no answer of ours invites other origins or names its software.
 */
export async function expectRefused(
  scratch: Scratch,
  sent: Sent,
  status: number | number[],
): Promise<Reply> {
  const before = treeHash(scratch.home)
  const stored = await scratch.stored()
  const reply = await scratch.send(sent)
  expect([status].flat()).toContain(reply.status)
  expectDiscreet(reply)
  expect(treeHash(scratch.home)).toBe(before)
  expect(await scratch.stored()).toBe(stored)
  await expectAlive(scratch)
  return reply
}

export async function expectAlive(scratch: Scratch): Promise<void> {
  const reply = await scratch.send({ method: 'OPTIONS', path: '/dav/files/alice/', as: 'alice' })
  expect(reply.status).toBe(200)
}

export function expectDiscreet(reply: Reply): void {
  expect(reply.body).not.toMatch(/\bat \S+ \(|node:|\.ts:\d|SELECT |\/tmp\/|ENOENT|errno/)
  const names = reply.rawHeaders.filter((_, index) => index % 2 === 0).map((n) => n.toLowerCase())
  for (const name of ['access-control-allow-origin', 'server', 'x-powered-by']) {
    expect(names).not.toContain(name)
  }
}

/** A file in alice's tree, by its path on the wire. */
export const mine = (path: string): string => `/dav/files/alice/${path}`
