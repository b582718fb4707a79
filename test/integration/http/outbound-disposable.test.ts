import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { createGuardedClient } from '../../../src/http/index.ts'
import { captureLog } from './support.ts'

/** More than kernels at both ends hold. */
const largeBytes = 24 * 1024 * 1024

/** Takes what comes with pauses, so that it has to wait in our socket. */
async function startTaker() {
  const received = createHash('sha256')
  const server = createServer((req, res) => {
    void (async () => {
      for await (const chunk of req) {
        received.update(chunk as Buffer)
        if (Math.random() < 0.05) await sleep(1)
      }
      res.end()
    })()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, received, server }
}

it.each([16, 64, 65, 128, 200])(
  'a disposable upload of %i KiB a part arrives whole',
  async (kib) => {
    const { url, received, server } = await startTaker()
    const sent = createHash('sha256')
    const chunks: Buffer[] = []
    async function* fresh(): AsyncGenerator<Buffer> {
      for (let bytes = 0; bytes < largeBytes; bytes += kib * 1024) {
        const chunk = randomBytes(kib * 1024)
        sent.update(chunk)
        chunks.push(chunk)
        await Promise.resolve()
        yield chunk
      }
    }
    const { log } = captureLog()
    const client = createGuardedClient({ log, allowHttp: true, allowPrivateNetworks: true })
    try {
      const body = Readable.from(fresh(), { objectMode: false })
      const response = await client.stream({ method: 'PUT', url, body, disposable: true })
      response.body.resume()
      expect(received.digest('hex')).toBe(sent.digest('hex'))
      const kept = chunks.filter(({ length }) => length > 0)
      // The very last may still be on its way when the answer comes.
      if (kib % 64 === 0) expect(kept.length).toBeLessThan(2)
    } finally {
      await client.close()
      server.close()
    }
  },
)
