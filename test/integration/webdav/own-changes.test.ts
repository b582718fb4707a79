import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Medium } from '../../../src/files/index.ts'
import { lockRequest } from './locking.ts'
import {
  mine,
  shareId,
  startScratch,
  type Reply,
  type Scratch,
  type Sent,
  type Who,
} from './support.ts'

jest.setTimeout(60_000)

let scratch: Scratch

async function begin(medium: Medium): Promise<void> {
  scratch = await startScratch({}, medium)
  mkdirSync(join(scratch.home, 'shared', 'sub', 'deep'), { recursive: true })
  writeFileSync(join(scratch.home, 'shared', 'sub', 'deep', 'x'), 'x')
}

afterEach(() => scratch.stop())

/** Every way that leads to the one folder. */
const ways: [Who, string][] = [
  ['alice', mine('shared/')],
  ['writer', '/dav/ocm/'],
  ['reader', `/dav/ocm/${shareId}/`],
]

async function list(path: string, as: Who): Promise<Reply> {
  const reply = await scratch.send({ method: 'PROPFIND', path, as, headers: { Depth: '1' } })
  expect(reply.status).toBe(207)
  return reply
}

/** The folder as each way shows it, without the way; warmed before, so that all of it is kept. */
async function seen(folder: string): Promise<string[][]> {
  const replies = await Promise.all(ways.map(([as, base]) => list(base + folder, as)))
  return replies.map(({ body }, index) =>
    hrefsOf(body)
      .map((href) => href.slice(ways[index]?.[1].length))
      .sort(),
  )
}

/** Of the resources, and not those of locks. */
const hrefsOf = (body: string): string[] =>
  [...body.matchAll(/<D:response><D:href>([^<]*)/g)].map(([, href = '']) => href)

const etagIn = (body: string, href: string): string | undefined =>
  new RegExp(`<D:href>${href}</D:href>.*?<D:getetag>([^<]*)`, 's').exec(body)?.[1]

async function send(sent: Sent): Promise<Reply> {
  const reply = await scratch.send(sent)
  expect([200, 201, 204, 207]).toContain(reply.status)
  return reply
}

const everyWay = (names: string[]): string[][] => ways.map(() => names)

describe.each(['auto', 'network'] as const)(
  'what we change is in the very next listing (%s)',
  (medium) => {
    beforeEach(() => begin(medium))

    it('PUT, COPY, MOVE, MKCOL, DELETE and LOCK, through each way to the folder', async () => {
      const before = ['', 'sub/']
      for (let round = 0; round < 30; round += 1) {
        const [as, base] = ways[round % 2] as [Who, string]
        const to = (name: string) => ({ Destination: base + name })
        expect(await seen('')).toEqual(everyWay(before))
        await send({ method: 'PUT', path: `${base}a`, as, body: `${round}` })
        expect(await seen('')).toEqual(everyWay(['', 'a', 'sub/']))
        await send({ method: 'COPY', path: `${base}a`, as, headers: to('b') })
        expect(await seen('')).toEqual(everyWay(['', 'a', 'b', 'sub/']))
        await send({ method: 'MOVE', path: `${base}b`, as, headers: to('sub/b') })
        expect(await seen('')).toEqual(everyWay(['', 'a', 'sub/']))
        expect(await seen('sub/')).toEqual(everyWay(['sub/', 'sub/b', 'sub/deep/']))
        await send({ method: 'MKCOL', path: `${base}c`, as })
        expect(await seen('')).toEqual(everyWay(['', 'a', 'c/', 'sub/']))
        await send({ method: 'DELETE', path: `${base}c`, as })
        await send({ method: 'DELETE', path: `${base}sub/b`, as })
        expect(await seen('sub/')).toEqual(everyWay(['sub/', 'sub/deep/']))
        const locked = await send(lockRequest(`${base}new`, as))
        expect(await seen('')).toEqual(everyWay(['', 'a', 'new', 'sub/']))
        const token = String(locked.headers['lock-token'])
        await send({ method: 'DELETE', path: `${base}new`, as, headers: { If: `(${token})` } })
        await send({ method: 'DELETE', path: `${base}a`, as })
      }
      expect(await seen('')).toEqual(everyWay(before))
    })

    it('a folder that is moved, with all that is below it', async () => {
      for (let round = 0; round < 10; round += 1) {
        const [as, base] = ways[round % 2] as [Who, string]
        expect(await seen('sub/deep/')).toEqual(everyWay(['sub/deep/', 'sub/deep/x']))
        await send({
          method: 'MOVE',
          path: `${base}sub`,
          as,
          headers: { Destination: `${base}sup` },
        })
        expect(await seen('')).toEqual(everyWay(['', 'sup/']))
        expect(await seen('sup/deep/')).toEqual(everyWay(['sup/deep/', 'sup/deep/x']))
        for (const [who, root] of ways) {
          const sent = {
            method: 'PROPFIND',
            path: `${root}sub/deep/`,
            as: who,
            headers: { Depth: '1' },
          }
          expect((await scratch.send(sent)).status).toBe(404)
        }
        await send({ method: 'PUT', path: `${base}sub`, as, body: 'a file in its place' })
        const file = await list(`${base}sub`, as)
        expect(hrefsOf(file.body)).toEqual([`${base}sub`])
        await send({
          method: 'MOVE',
          path: `${base}sup`,
          as,
          headers: { Destination: `${base}sub` },
        })
      }
    })

    it('content: the entity tag of the answer is the one that is listed, and that GET has', async () => {
      for (let round = 0; round < 50; round += 1) {
        const [as, base] = ways[round % 2] as [Who, string]
        const body = `content ${String(round).padStart(3, '0')}`
        const { headers } = await send({ method: 'PUT', path: `${base}same-size`, as, body })
        for (const [who, root] of ways) {
          const listed = await list(root, who)
          expect(etagIn(listed.body, `${root}same-size`)).toBe(headers.etag)
          const got = await scratch.send({ method: 'GET', path: `${root}same-size`, as: who })
          expect([got.body, got.headers.etag]).toEqual([body, headers.etag])
        }
      }
      await send({ method: 'DELETE', path: mine('shared/same-size'), as: 'alice' })
    })

    it("a folder's own entry, where it is listed itself and where its parent is", async () => {
      for (let round = 0; round < 30; round += 1) {
        const [as, base] = ways[round % 2] as [Who, string]
        const before = await list(base, as)
        await send({ method: 'PUT', path: `${base}sub/n-${round}`, as, body: 'x' })
        const parent = etagIn((await list(base, as)).body, `${base}sub/`)
        const own = etagIn((await list(`${base}sub/`, as)).body, `${base}sub/`)
        const { headers } = await scratch.send({
          method: 'HEAD',
          path: `${base}sub/n-${round}`,
          as,
        })
        expect(headers.etag).toBeDefined()
        expect(parent).toBe(own)
        expect(parent).not.toBe(etagIn(before.body, `${base}sub/`))
      }
    })

    it('while many others list the same folder', async () => {
      let isOver = false
      const others = ways.flatMap(([as, base]) =>
        [1, 2].map(async () => {
          while (!isOver) await list(base, as)
        }),
      )
      try {
        for (let round = 0; round < 100; round += 1) {
          const [as, base] = ways[round % 2] as [Who, string]
          const { headers } = await send({
            method: 'PUT',
            path: `${base}hot`,
            as,
            body: `${round}`,
          })
          expect(etagIn((await list(base, as)).body, `${base}hot`)).toBe(headers.etag)
          await send({ method: 'DELETE', path: `${base}hot`, as })
          expect(etagIn((await list(base, as)).body, `${base}hot`)).toBeUndefined()
        }
      } finally {
        isOver = true
        await Promise.all(others)
      }
    })
  },
)
