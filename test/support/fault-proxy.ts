/** The network between two servers, as bad as a test wants it: HTTP over real sockets. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { suffer, type Fault } from './faults.ts'
import { request, type Answer } from './http-request.ts'

/** A request that came by. */
export interface Passage {
  readonly method: string
  readonly path: string
  readonly fault: Fault | undefined
  /** Each answer of the server behind; none if the request did not arrive. */
  readonly answers: number[]
}

/** Stands before one server and is its public address. */
export interface FaultProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  /** `127.0.0.1:PORT`. */
  readonly authority: string
  /** Everything that came by, oldest first. */
  readonly passages: Passage[]
  /** Where requests go; until then nobody is there. */
  forwardTo(url: string): void
  /** What becomes of the next requests for a path, one each; the others pass. */
  next(path: string, ...faults: readonly Fault[]): void
  /** Decides of every request that `next` says nothing of. */
  always(choose: Choice): void
  /** Lets what is held arrive, in that order; the answers go nowhere. Returns their status. */
  release(): Promise<number[]>
  /** Everything passes again, and what came by is forgotten; what is held is lost. */
  heal(): void
  close(): Promise<void>
}

export async function faultProxy(): Promise<FaultProxy> {
  let target: string | undefined
  let choose = passes
  const planned = new Map<string, Fault[]>()
  const passages: Passage[] = []
  const held: (() => Promise<Answer>)[] = []

  const server = createServer((req, res) => {
    // Whoever resets the connection while we answer is no concern of the proxy.
    void pass(req, res).catch(() => void req.socket.destroy())
  })
  // Servers try https first; a TLS hello is no HTTP request.
  server.on('clientError', (_error, socket) => void socket.destroy())
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const authority = `127.0.0.1:${port}`

  async function pass(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = req
    const body = await buffer(req)
    const fault = planned.get(path)?.shift() ?? choose(path, method)
    const passage: Passage = { method, path, fault, answers: [] }
    passages.push(passage)
    const headers = pairs(req.rawHeaders)
    const forward = async (): Promise<Answer> => {
      if (target === undefined) throw new Error('nobody is behind the proxy')
      const sent = method === 'GET' ? {} : { body }
      const answer = await request(target + path, { method, headers, ...sent })
      passage.answers.push(answer.status)
      return answer
    }
    if (fault === 'hold') held.push(forward)
    else await suffer(fault, forward, res)
  }

  return {
    url: `http://${authority}`,
    authority,
    passages,
    forwardTo: (url) => void (target = url),
    next: (path, ...faults) => void planned.set(path, [...(planned.get(path) ?? []), ...faults]),
    always: (chooser) => void (choose = chooser),
    async release() {
      const statuses: number[] = []
      for (const arrive of held.splice(0)) statuses.push((await arrive()).status)
      return statuses
    },
    heal() {
      choose = passes
      planned.clear()
      passages.length = 0
      held.length = 0
    },
    close,
    [Symbol.asyncDispose]: close,
  }

  async function close(): Promise<void> {
    server.closeAllConnections()
    await new Promise<void>((done) => server.close(() => done()))
  }
}

type Choice = (path: string, method: string) => Fault | undefined

const passes: Choice = () => undefined

/** Fields as they came, so that signatures over them hold. */
const pairs = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, index) =>
    index % 2 === 0 && name.toLowerCase() !== 'connection'
      ? [[name, raw[index + 1] ?? ''] as [string, string]]
      : [],
  )
