import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { credentials, expectAlive, mine, startScratch, type Scratch } from './support.ts'

jest.setTimeout(60_000)

const kib = 1024
const mib = 1024 * kib
const sizes = [64 * kib - 1, 64 * kib, 64 * kib + 1, 16 * mib - 1, 16 * mib, 16 * mib + 1, 40 * mib]
const content = randomBytes(40 * mib)
/** No connection holds the rest of it, whatever its buffers grow to. */
const endless = 128 * mib

let scratch: Scratch
const begun: IncomingMessage[] = []

/** Whatever a test did, nothing is held open by it. */
afterEach(async () => {
  for (const res of begun.splice(0)) res.destroy()
  for (let patience = 250; openFiles().length > 0 && patience > 0; patience -= 1) await wait(20)
  expect(openFiles()).toEqual([])
  expect(scratch.log.filter((line) => line.includes('"level":50'))).toEqual([])
})

/** Server and clients are one process, of which only the server opens files of alice. */
function openFiles(): string[] {
  const files: string[] = []
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      if (path.startsWith(scratch.home)) files.push(path)
    } catch {
      // It was the descriptor that read the folder.
    }
  }
  return files
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function get(name: string, headers: Record<string, string> = {}) {
  return scratch.send({ method: 'GET', path: mine(name), as: 'alice', headers })
}

/** A download of which nobody has read anything yet. */
async function begin(name: string): Promise<IncomingMessage> {
  const path = mine(name)
  const headers = { authorization: credentials.alice }
  const req = request({ port: scratch.port, host: '127.0.0.1', path, headers, agent: false })
  req.on('error', () => undefined)
  req.end()
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  res.on('error', () => undefined)
  begun.push(res)
  return res
}

/** Reads at least so much of it. */
async function readOf(res: IncomingMessage, atLeast: number): Promise<Buffer[]> {
  const parts: Buffer[] = []
  for (let count = 0; count < atLeast;) {
    const chunk = res.read() as Buffer | null
    if (chunk === null) await once(res, 'readable')
    else {
      parts.push(chunk)
      count += chunk.length
    }
  }
  return parts
}

/** Read in place, and by the thread pool. */
describe.each(['local', 'network'] as const)('large files, medium %s', (medium) => {
  beforeAll(async () => {
    scratch = await startScratch({}, medium)
    for (const size of sizes) {
      writeFileSync(join(scratch.home, `size-${size}`), content.subarray(0, size))
    }
    writeFileSync(join(scratch.home, 'large'), content)
  })

  afterAll(() => scratch.stop())

  it.each(sizes)('has every byte of %d', async (size) => {
    const { status, headers, bytes } = await get(`size-${size}`)
    expect([status, headers['content-length']]).toEqual([200, String(size)])
    expect(hashOf(bytes)).toBe(hashOf(content.subarray(0, size)))
  })

  const borders = [0, 64 * kib, 512 * kib, 16 * mib, 16 * mib + 512 * kib, 32 * mib]
  const lengths = [1, 2, 64 * kib + 1, mib, 17 * mib]
  const ranges = borders.flatMap((border) =>
    lengths.map((length) => {
      const start = Math.max(0, border - Math.ceil(length / 2))
      return [start, Math.min(40 * mib, start + length) - 1] as const
    }),
  )

  it.each([...ranges, [0, 40 * mib - 1], [40 * mib - 1, 40 * mib - 1], [1, 40 * mib - 2]] as const)(
    'has every byte of the range %d-%d',
    async (start, end) => {
      const { status, headers, bytes } = await get('large', { Range: `bytes=${start}-${end}` })
      expect(status).toBe(206)
      expect(headers['content-range']).toBe(`bytes ${start}-${end}/${40 * mib}`)
      expect(hashOf(bytes)).toBe(hashOf(content.subarray(start, end + 1)))
    },
  )

  it('has every byte for many at once, more than there are large buffers', async () => {
    const wanted = hashOf(content.subarray(0, 16 * mib + 1))
    const answers = Array.from({ length: 66 }, async () => {
      const hash = createHash('sha256')
      for await (const chunk of await begin(`size-${16 * mib + 1}`)) hash.update(chunk as Buffer)
      return hash.digest('hex')
    })
    expect(new Set(await Promise.all(answers))).toEqual(new Set([wanted]))
  })

  it.each([0, 100 * kib, 10 * mib, 20 * mib, 39 * mib])(
    'lets go of the file when a client leaves after %d bytes',
    async (atLeast) => {
      const downloads = await Promise.all(Array.from({ length: 10 }, () => begin('large')))
      await Promise.all(downloads.map((res) => readOf(res, atLeast)))
      for (const res of downloads) res.destroy()
      await expectAlive(scratch)
    },
  )

  it('stops nobody while others stall before, at and behind 16 MiB', async () => {
    truncateSync(join(scratch.home, 'large'), endless)
    const stalled = await Promise.all(Array.from({ length: 80 }, () => begin('large')))
    await Promise.all(stalled.slice(0, 70).map((res) => readOf(res, 17 * mib)))
    expect(openFiles().length).toBeGreaterThan(70)
    const { bytes } = await get('large')
    expect(bytes).toHaveLength(endless)
    expect(hashOf(bytes.subarray(0, content.length))).toBe(hashOf(content))
    const put = { method: 'PUT', path: mine('beside'), as: 'alice' as const, body: 'x' }
    expect((await scratch.send(put)).status).toBe(201)
    // Those who stalled go on where they were, with the version that they began with.
    const [first] = stalled
    const replaced = { method: 'PUT', path: mine('large'), as: 'alice' as const, body: 'new' }
    expect((await scratch.send(replaced)).status).toBe(204)
    let rest = 0
    for await (const chunk of first as IncomingMessage) rest += (chunk as Buffer).length
    expect(rest).toBeGreaterThan(100 * mib)
    expect(first?.complete).toBe(true)
    await scratch.send({ method: 'DELETE', path: mine('beside'), as: 'alice' })
  })

  it.each([
    ['at once', 0, 65 * kib],
    ['after a while', 8 * mib, 9 * mib],
    ['behind 16 MiB', 20 * mib, 30 * mib],
  ])(
    'cuts the connection when the file is truncated %s, and pads nothing',
    async (_, read, left) => {
      writeFileSync(join(scratch.home, 'large'), content)
      const res = await begin('large')
      const closed = new Promise((resolve) => res.once('close', resolve))
      const parts = await readOf(res, read)
      truncateSync(join(scratch.home, 'large'), left)
      res.on('data', (chunk: Buffer) => parts.push(chunk))
      await closed
      const bytes = Buffer.concat(parts)
      expect(res.complete).toBe(false)
      expect(bytes.length).toBeLessThan(40 * mib)
      expect(hashOf(bytes)).toBe(hashOf(content.subarray(0, bytes.length)))
      await expectAlive(scratch)
      expect(scratch.log.splice(0).filter((line) => line.includes('"level":50'))).toHaveLength(1)
    },
  )
})
