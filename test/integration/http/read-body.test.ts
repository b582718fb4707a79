import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { AppError } from '../../../src/core/index.ts'
import { readBody, writeOcmError, type BodyLimits } from '../../../src/http/index.ts'
import { askRaw, exchangeRaw, startServer, until, type Running } from './support.ts'

const post = (headers: string): string =>
  `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n\r\n`
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
const chunked = 'Transfer-Encoding: chunked'

describe('reading a body', () => {
  let running: Running
  let failure: unknown
  const limits: { -readonly [K in keyof BodyLimits]: BodyLimits[K] } = { maxBytes: 10 }

  beforeEach(async () => {
    failure = undefined
    running = await startServer(async (req, res) => {
      try {
        res.end(await readBody(req, limits))
      } catch (error) {
        failure = error
        writeOcmError(res, error)
      }
    })
  })
  afterEach(() => running.http.close(0))

  it.each([
    ['with a length', [`${post('Content-Length: 10')}0123456789`], '0123456789'],
    ['in chunks', [post(chunked), chunk('01234'), 20, chunk('56789'), '0\r\n\r\n'], '0123456789'],
    ['empty', [post('Content-Length: 0')], ''],
    ['absent', [post('X: y')], ''],
    ['declared identity', [`${post('Content-Encoding: Identity\r\nContent-Length: 1')}a`], 'a'],
  ])('gives the raw bytes of one %s', async (_name, parts, body) => {
    const answer = await exchangeRaw(running.port, ...parts)
    expect(answer).toMatch(/^HTTP\/1.1 200 /)
    expect(answer.split('\r\n\r\n').at(1)).toContain(body)
  })

  it.each([
    ['413 before a byte of a large one arrives', [post('Content-Length: 20000000000')], 413],
    ['413 for a length of one too many', [post('Content-Length: 11')], 413],
    ['413 when chunks exceed the limit', [post(chunked), chunk('0123456789'), 20, chunk('x')], 413],
    ['415 for gzip (robustness C12)', [post('Content-Encoding: gzip\r\nContent-Length: 5')], 415],
    ['415 for stacked codings', [post('Content-Encoding: identity, br\r\nContent-Length: 5')], 415],
    ['501 for an unknown transfer coding', [post('Transfer-Encoding: gzip, chunked')], 501],
  ])('answers %s', async (_name, parts, status) => {
    const answer = await askRaw(running.port, ...parts)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer).toContain('{"message":')
    expect(failure).toBeInstanceOf(AppError)
  })

  it('lets a client that is still sending read the refusal', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => {
        const big = 'x'.repeat(512 * 1024)
        return exchangeRaw(running.port, post(`Content-Length: ${big.length}`), big)
      }),
    )
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 413 .*larger than 10 bytes/s)
  })

  it('answers 408 to silence and to a drip', async () => {
    Object.assign(limits, { idleMs: 60, totalMs: 200 })
    const head = post('Content-Length: 9')
    expect(await askRaw(running.port, head, 'a')).toMatch(/^HTTP\/1.1 408 /)
    const drip = Array.from({ length: 8 }, () => ['a', 40]).flat()
    expect(await askRaw(running.port, head, ...drip)).toMatch(/^HTTP\/1.1 408 /)
    Object.assign(limits, { idleMs: 10_000, totalMs: 30_000 })
  })

  it('rejects when the client leaves, and the server lives on', async () => {
    const socket = connect({ host: '127.0.0.1', port: running.port })
    socket.write(`${post('Content-Length: 9')}abc`, () =>
      setTimeout(() => socket.resetAndDestroy(), 30),
    )
    await until(() => failure !== undefined)
    expect(failure).toMatchObject({ code: 'request_aborted', kind: 'invalid' })
    expect(await exchangeRaw(running.port, post('X: y'))).toMatch(/^HTTP\/1.1 200 /)
  })

  it('rejects when a chunk is malformed', async () => {
    const answer = await exchangeRaw(running.port, post(chunked), 20, 'zz\r\n')
    expect(answer).toMatch(/^HTTP\/1.1 400 /)
    await until(() => failure !== undefined)
    expect(failure).toMatchObject({ code: 'request_aborted' })
  })
})
