import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Awaitable } from '../../../../src/core/index.ts'
import type { FileTree } from '../../../../src/files/index.ts'
import {
  createRemoteTree,
  type RemoteTree,
  type RemoteTreeOptions,
} from '../../../../src/mounts/remote/remote-tree.ts'
import { callerOf } from './support.ts'

export type Answer = (req: IncomingMessage, res: ServerResponse) => void

export const multistatus = (...responses: string[]): string =>
  `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">${responses.join('')}</d:multistatus>`

export const collection = '<d:resourcetype><d:collection/></d:resourcetype>'

export const response = (href: string, properties = '', status = 'HTTP/1.1 200 OK'): string =>
  `<d:response><d:href>${href}</d:href><d:propstat><d:prop>${properties}</d:prop>` +
  `<d:status>${status}</d:status></d:propstat></d:response>`

export const sends =
  (status: number, body: string | Buffer, headers: Record<string, string | number> = {}): Answer =>
  (_req, res) =>
    void res
      .writeHead(status, {
        'content-type': 'application/xml',
        'content-length': Buffer.byteLength(body),
        ...headers,
      })
      .end(body)

export const says = (...responses: string[]): Answer => sends(207, multistatus(...responses))

/** A sender that answers as a test says, and the tree that we see of it. */
export interface BadSender {
  readonly origin: string
  /** `METHOD /path`, oldest first. */
  readonly requests: string[]
  answer: Answer
  treeWith(options?: Partial<RemoteTreeOptions>): RemoteTree
  close(): Promise<void>
}

export async function badSender(): Promise<BadSender> {
  const server = createServer((req, res) => {
    req.on('error', () => undefined)
    sender.requests.push(`${req.method} ${req.url}`)
    sender.answer(req, res)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { call, close } = callerOf(`${origin}/dav/share`, 'Bearer x', { timeoutMs: 1000 })
  const sender: BadSender = {
    origin,
    requests: [],
    answer: () => undefined,
    treeWith: (options) => createRemoteTree({ call, name: 'Mount', patienceMs: 200, ...options }),
    async close() {
      await close()
      server.closeAllConnections()
      server.close()
    },
  }
  return sender
}

/** The code that a promise fails with. */
export async function codeOf(work: Awaitable<unknown>): Promise<unknown> {
  try {
    await work
    return 'fine'
  } catch (error) {
    return (error as { code?: unknown }).code ?? String(error)
  }
}

export const namesIn = async (tree: FileTree): Promise<string[]> => {
  const names: string[] = []
  for await (const batch of tree.list([])) names.push(...batch.map(({ name }) => name))
  return names
}
