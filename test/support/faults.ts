import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer } from './http-request.ts'

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

/** Lets a request arrive, or not, and something come back, or not. */
export async function suffer(
  fault: Exclude<Fault, 'hold'> | undefined,
  forward: () => Promise<Answer>,
  res: ServerResponse,
): Promise<void> {
  switch (fault) {
    case 'drop':
      return
    case 'reset':
      reset(res)
      return
    case 'error':
      res.writeHead(500).end('{"message":"out of order"}')
      return
    case 'busy':
      res.writeHead(503, { 'retry-after': '120' }).end()
      return
    case 'delay':
      await sleep(30)
      reply(res, await forward())
      return
    case 'duplicate':
      await forward()
      reply(res, await forward())
      return
    case 'twins':
      reply(res, await slower(forward(), forward()))
      return
    default:
      spoil(fault, await forward(), res)
  }
}

/** What comes back of a request that arrived. */
function spoil(
  fault:
    'drop-answer' | 'reset-answer' | 'bad-gateway' | 'garbage' | 'noise' | 'truncate' | undefined,
  answer: Answer,
  res: ServerResponse,
): void {
  switch (fault) {
    case undefined:
      reply(res, answer)
      return
    case 'drop-answer':
      return
    case 'reset-answer':
      reset(res)
      return
    case 'bad-gateway':
      res.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>')
      return
    case 'garbage':
      res.writeHead(answer.status, { 'content-type': 'application/json' }).end('\0{"x":]')
      return
    case 'noise':
      res.socket?.end('\x15\x03\x01 what?\r\n\r\n')
      return
    case 'truncate':
      res.writeHead(answer.status, {
        ...plain(answer),
        'content-length': String(answer.bytes.length + 10),
      })
      res.write(answer.bytes, () => void res.socket?.destroy())
  }
}

async function slower(one: Promise<Answer>, other: Promise<Answer>): Promise<Answer> {
  const first = await Promise.race([one, other])
  const both = await Promise.all([one, other])
  return both.find((answer) => answer !== first) ?? first
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
