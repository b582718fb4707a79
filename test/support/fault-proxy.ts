/** The network between two servers, as bad as a test wants it: HTTP over real sockets. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { request, type Answer } from './http-request.ts'

/** What becomes of one request. */
export type Fault =
  /** It never arrives, and nothing comes back. */
  | 'drop'
  /** It arrives; nothing comes back. */
  | 'drop-answer'
  /** The connection is reset, and it never arrives. */
  | 'reset'
  /** It arrives; the connection is reset in place of the answer. */
  | 'reset-answer'
  /** It takes its time, though less than its sender has. */
  | 'delay'
  /** It stays on the way until `release()`; its sender has given up long before. */
  | 'hold'
  /** It never arrives; 500. */
  | 'error'
  /** It never arrives; 503 with `Retry-After: 120`. */
  | 'busy'
  /** It arrives; 502 in place of the answer. */
  | 'bad-gateway'
  /** It arrives; the answer's status stands over a body of nonsense. */
  | 'garbage'
  /** It arrives; what comes back is no HTTP. */
  | 'noise'
  /** It arrives; the answer ends in the middle. */
  | 'truncate'
  /** It arrives twice, one after the other; the second answer comes back. */
  | 'duplicate'
  /** It arrives twice at the same time; the slower answer comes back. */
  | 'twins'

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
  /** What becomes of every request that `next` says nothing of; `undefined`: it passes. */
  always(fault: Fault | undefined): void
  /** Lets what is held arrive, in that order; the answers go nowhere. Returns their status. */
  release(): Promise<number[]>
  /** Everything passes again, and what came by is forgotten; what is held is lost. */
  heal(): void
  close(): Promise<void>
}

export async function faultProxy(): Promise<FaultProxy> {
  let target: string | undefined
  let usual: Fault | undefined
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
    const fault = planned.get(path)?.shift() ?? usual
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
    always: (fault) => void (usual = fault),
    async release() {
      const statuses: number[] = []
      for (const arrive of held.splice(0)) statuses.push((await arrive()).status)
      return statuses
    },
    heal() {
      usual = undefined
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

/** Lets a request arrive, or not, and something come back, or not. */
async function suffer(
  fault: Exclude<Fault, 'hold'> | undefined,
  forward: () => Promise<Answer>,
  res: ServerResponse,
): Promise<void> {
  switch (fault) {
    case undefined:
      return reply(res, await forward())
    case 'drop':
      return
    case 'drop-answer':
      await forward()
      return
    case 'reset':
      return reset(res)
    case 'reset-answer':
      await forward()
      return reset(res)
    case 'delay':
      await sleep(30)
      return reply(res, await forward())
    case 'error':
      return void res.writeHead(500).end('{"message":"out of order"}')
    case 'busy':
      return void res.writeHead(503, { 'retry-after': '120' }).end()
    case 'bad-gateway':
      await forward()
      return void res.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>')
    case 'garbage': {
      const { status } = await forward()
      return void res.writeHead(status, { 'content-type': 'application/json' }).end('\0{"x":]')
    }
    case 'noise':
      await forward()
      return void res.socket?.end('\x15\x03\x01 what?\r\n\r\n')
    case 'truncate': {
      const answer = await forward()
      const length = String(answer.bytes.length + 10)
      res.writeHead(answer.status, { ...plain(answer), 'content-length': length })
      res.write(answer.bytes, () => void res.socket?.destroy())
      return
    }
    case 'duplicate':
      await forward()
      return reply(res, await forward())
    case 'twins': {
      let slower: Answer | undefined
      const keep = (answer: Answer) => (slower = answer)
      await Promise.all([forward().then(keep), forward().then(keep)])
      return slower && reply(res, slower)
    }
  }
}

const reset = (res: ServerResponse): void => void res.socket?.resetAndDestroy()

const reply = (res: ServerResponse, answer: Answer): void =>
  void res.writeHead(answer.status, plain(answer)).end(answer.bytes)

/** The head without what holds for one connection only. */
const plain = ({ headers }: Answer): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !['connection', 'keep-alive', 'transfer-encoding'].includes(name),
    ),
  )

/** Fields as they came, so that signatures over them hold. */
const pairs = (raw: readonly string[]): [string, string][] =>
  raw.flatMap((name, index) =>
    index % 2 === 0 && name.toLowerCase() !== 'connection'
      ? [[name, raw[index + 1] ?? ''] as [string, string]]
      : [],
  )
