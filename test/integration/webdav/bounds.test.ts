import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { hrefsOf } from '../../support/dav-client.ts'
import type { Answer } from '../../support/http-request.ts'
import { crashStage, type CrashStage, type Dav } from '../crash/stage.ts'

/** Memory is that of the built server, as a process of its own. */
jest.setTimeout(120_000)

const kib = 1024
const mib = 1024 * kib

let stage: CrashStage
let dav: Dav

beforeAll(async () => {
  stage = await crashStage({ files: { durability: 'normal' } })
  await stage.start()
  dav = stage.dav()
})

afterAll(async () => {
  await stage[Symbol.asyncDispose]()
})

function memoryOf(pid: number): number {
  const [, resident] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(resident) * kib
}

function openFiles(): string[] {
  const fds = `/proc/${stage.process().pid}/fd`
  return readdirSync(fds).flatMap((fd) => {
    try {
      const path = readlinkSync(join(fds, fd))
      return path.startsWith(stage.home) ? [path] : []
    } catch {
      return []
    }
  })
}

/** How much the server has grown by it; the first part of the same work was done before. */
async function growthBy(work: () => Promise<unknown>): Promise<number> {
  const before = memoryOf(stage.process().pid)
  await work()
  return memoryOf(stage.process().pid) - before
}

async function inTurns(count: number, ask: (index: number) => Promise<Answer>): Promise<void> {
  const statuses = new Set<number>()
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) statuses.add((await ask(next++)).status)
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  expect([...statuses].filter((status) => ![200, 201, 207].includes(status))).toEqual([])
}

/** Sends a head, and perhaps the beginning of a body; reads nothing. */
async function openSockets(count: number, head: string, body: Buffer): Promise<Socket[]> {
  const [host = '', port = ''] = stage.process().address.split(':')
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const socket = connect(Number(port), host)
      socket.on('error', () => undefined)
      socket.pause()
      socket.write(head.replaceAll('{index}', String(index)))
      await new Promise((resolve) => socket.write(body, resolve))
      return socket
    }),
  )
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let patience = 250; !holds() && patience > 0; patience -= 1) await wait(20)
  expect(holds()).toBe(true)
}

describe('what is kept is bounded', () => {
  it('however many different things are asked of a long folder', async () => {
    await stage.fill('long', Object.fromEntries(filesNamed(400)))
    const ask = (text: string) =>
      `<D:propfind xmlns:D="DAV:"><D:allprop/><D:include><x xmlns="urn:${text}"/></D:include></D:propfind>`
    const first = (index: number) => dav.propfind('long/', '1', ask(`first-${index}`))
    const more = (index: number) => dav.propfind('long/', '1', ask(`more-${index}`))
    const lengthy = (index: number) =>
      dav.propfind('long/', '0', ask(`${index}-${'y'.repeat(100 * kib)}`))
    await inTurns(400, first)
    expect(await growthBy(() => inTurns(800, more))).toBeLessThan(160 * mib)
    expect(await growthBy(() => inTurns(1000, lengthy))).toBeLessThan(160 * mib)
  })

  it('however many folders are listed and small files are read', async () => {
    const content = 'x'.repeat(60 * kib)
    for (let index = 0; index < 2000; index += 1) await stage.fill(`many/${index}`, { a: content })
    const look = (index: number) => dav.propfind(`many/${index}/`, '1')
    const read = (index: number) => dav.get(`many/${index}/a`)
    await inTurns(500, look)
    await inTurns(500, read)
    expect(await growthBy(() => inTurns(2000, look))).toBeLessThan(160 * mib)
    // Twelve times what may be kept of them.
    expect(await growthBy(() => inTurns(2000, read))).toBeLessThan(60 * mib)
  })

  it('by a number of members, beyond which a folder is listed a part after another', async () => {
    const namesIn = async (): Promise<number> => {
      const { status, text } = await dav.propfind('border/', '1')
      expect(status).toBe(207)
      expect(text.endsWith('</D:multistatus>\n')).toBe(true)
      return new Set(hrefsOf({ text })).size - 1
    }
    await stage.fill('border', Object.fromEntries(filesNamed(4096)))
    expect([await namesIn(), await namesIn()]).toEqual([4096, 4096])
    expect((await dav.put('border/one-more', 'x')).status).toBe(201)
    expect([await namesIn(), await namesIn()]).toEqual([4097, 4097])
    writeFileSync(join(stage.home, 'border', 'by-others'), '')
    await wait(100)
    expect(await namesIn()).toBe(4098)
    for (const name of ['one-more', 'by-others', 'file-7']) {
      expect((await dav.remove(`border/${name}`)).status).toBe(204)
    }
    expect([await namesIn(), await namesIn()]).toEqual([4095, 4095])
  })
})

const filesNamed = (count: number): [string, string][] =>
  Array.from({ length: count }, (_, index) => [`file-${index}`, ''])

describe('clients that stop half-way', () => {
  const head = (method: string, path: string, fields = ''): string =>
    `${method} /dav/files/alice/${path} HTTP/1.1\r\nHost: x\r\n` +
    `Authorization: ${dav.authorization}\r\n${fields}\r\n`

  it('200 downloads hold little memory, and nothing when they are gone', async () => {
    await stage.fill('', { large: 'x'.repeat(40 * mib) })
    let sockets: Socket[] = []
    const grown = await growthBy(async () => {
      sockets = await openSockets(200, head('GET', 'large'), Buffer.alloc(0))
      await eventually(() => openFiles().length === 200)
      await wait(500)
    })
    expect(grown).toBeLessThan(200 * mib)
    expect((await dav.get('large')).bytes.length).toBe(40 * mib)
    for (const socket of sockets) socket.destroy()
    await eventually(() => openFiles().length === 0)
  })

  it.each([
    ['before anything is on disk', 300 * kib],
    ['in the middle', 3 * mib + 200 * kib],
  ])('200 uploads hold little memory, and leave nothing (%s)', async (_, sent) => {
    const before = readdirSync(stage.home).sort()
    let sockets: Socket[] = []
    const grown = await growthBy(async () => {
      const fields = `Content-Length: ${8 * mib}\r\n`
      sockets = await openSockets(200, head('PUT', 'upload-{index}', fields), Buffer.alloc(sent))
      await wait(1000)
    })
    // Less than half of the 640 MiB; `batches.test.ts` counts exactly what waits.
    expect(grown).toBeLessThan(300 * mib)
    expect((await dav.put('beside', Buffer.alloc(2 * mib))).status).toBe(201)
    expect((await dav.remove('beside')).status).toBe(204)
    for (const socket of sockets) socket.destroy()
    await eventually(() => openFiles().length === 0)
    await eventually(() => readdirSync(stage.home).length === before.length)
    expect(readdirSync(stage.home).sort()).toEqual(before)
    expect(stage.process().err()).not.toContain('"level":50')
  })
})
