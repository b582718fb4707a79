import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from '@jest/globals'
import { endTogether } from '../../../src/http/index.ts'
import { exchangeRaw, startServer, type Running } from './support.ts'

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`

function answer(res: ServerResponse, text: string): void {
  res.writeHead(200, { 'Content-Length': Buffer.byteLength(text) })
  endTogether(res, text)
}

describe('answers that are ended together', () => {
  let running: Running | undefined
  afterEach(async () => {
    await running?.http.close(0)
    running = undefined
  })

  const paths = Array.from({ length: 41 }, (_, index) => `/${index}`)

  /** Waits for all requests, then answers all in one turn of the event loop. */
  async function startGathering(answerOne: (res: ServerResponse, path: string) => void) {
    const gathered: ServerResponse[] = []
    running = await startServer((_req, res) => {
      if (gathered.push(res) < paths.length) return
      for (const one of gathered) answerOne(one, one.req.url ?? '')
    })
    const { port } = running
    return Promise.all(paths.map((path) => exchangeRaw(port, get(path))))
  }

  it('each go to who asked, however many there are', async () => {
    const answers = await startGathering((res, path) => answer(res, `for ${path}, ü`))
    for (const [index, text] of answers.entries()) {
      expect(text).toMatch(/^HTTP\/1\.1 200 /)
      expect(Buffer.from(text, 'latin1').toString()).toMatch(new RegExp(`for /${index}, ü$`))
    }
  })

  it('lose nothing by a neighbour that leaves before', async () => {
    const leaves = (path: string): boolean => Number(path.slice(1)) % 3 === 0
    const answers = await startGathering((res, path) => {
      answer(res, `for ${path}`)
      if (leaves(path)) res.destroy()
    })
    for (const path of paths) {
      const text = answers[Number(path.slice(1))]
      // A full house is answered at once: who left after that has its answer.
      if (leaves(path)) expect(text).toMatch(/^$|^HTTP\/1\.1 200 /)
      else expect(text).toMatch(new RegExp(`for ${path}$`))
    }
  })

  it('are written before the connection ends for what came behind them', async () => {
    running = await startServer((_req, res) => answer(res, 'first'))
    const text = await exchangeRaw(running.port, `GET / HTTP/1.1\r\nHost: x\r\n\r\nno HTTP\r\n\r\n`)
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(text).toContain('first')
  })

  it('take the bytes of a string as its encoding says', async () => {
    running = await startServer((_req, res) => {
      res.writeHead(200, { 'Content-Length': 2 })
      endTogether(res, 'ü\xff', 'latin1')
    })
    expect(await exchangeRaw(running.port, get('/'))).toMatch(/\r\n\r\n\xfc\xff$/)
  })
})
