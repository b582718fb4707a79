import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { FileError, type Entry, type FileTree } from '../../../src/files/index.ts'
import { hrefsOf } from '../../support/dav-client.ts'
import {
  credentials,
  expectAlive,
  mine,
  startScratch,
  type Reply,
  type Scratch,
} from './support.ts'

const hrefsIn = ({ body }: Reply): string[] => hrefsOf({ text: body })

describe('RFC 4918 §9.1: PROPFIND of infinite depth, where it is allowed', () => {
  let scratch: Scratch

  beforeAll(async () => {
    scratch = await startScratch({ infiniteDepth: true })
    mkdirSync(join(scratch.home, 'a', 'b', 'c'), { recursive: true })
    mkdirSync(join(scratch.home, 'a', 'empty'))
    for (const path of ['a/1', 'a/b/2', 'a/b/c/3', 'z']) {
      writeFileSync(join(scratch.home, path), path)
    }
    writeFileSync(join(scratch.home, 'a', 'b', '.davmesh-put-x'), '')
  })
  afterAll(() => scratch.stop())

  const propfind = (path: string, headers: Record<string, string>, body = ''): Promise<Reply> =>
    scratch.send({ method: 'PROPFIND', path, as: 'alice', headers, body })

  it.each([{ Depth: 'infinity' }, {}])('lists everything below once (%j)', async (headers) => {
    const reply = await propfind(mine('a'), headers)
    expect(reply.status).toBe(207)
    const hrefs = hrefsIn(reply)
    const paths = ['a/', 'a/1', 'a/b/', 'a/b/2', 'a/b/c/', 'a/b/c/3', 'a/empty/']
    expect([...hrefs].sort()).toEqual(paths.map(mine))
  })

  it('names what holds something before what it holds', async () => {
    const hrefs = hrefsIn(await propfind(mine(''), { Depth: 'infinity' }))
    expect(hrefs).toContain(mine('z'))
    for (const [index, href] of hrefs.entries()) {
      const parent = href.replace(/[^/]+\/?$/, '')
      if (index > 0) expect(hrefs.slice(0, index)).toContain(parent)
    }
  })

  it('describes a file as itself', async () => {
    expect(hrefsIn(await propfind(mine('z'), { Depth: 'infinity' }))).toEqual([mine('z')])
  })

  it('stays inside a share', async () => {
    writeFileSync(join(scratch.home, 'shared', 'in'), '')
    const sent = { method: 'PROPFIND', path: '/dav/ocm/', headers: { Depth: 'infinity' } }
    const reply = await scratch.send({ ...sent, as: 'reader' })
    expect(hrefsIn(reply)).toEqual(['/dav/ocm/', '/dav/ocm/in'])
  })

  it('knows the properties and locks of what is far below', async () => {
    const set =
      '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="urn:x">deep</x></D:prop></D:set>' +
      '</D:propertyupdate>'
    const path = mine('a/b/c/3')
    await scratch.send({ method: 'PROPPATCH', path, as: 'alice', body: set })
    const lock =
      '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
      '<D:locktype><D:write/></D:locktype></D:lockinfo>'
    await scratch.send({ method: 'LOCK', path: mine('a/b'), as: 'alice', body: lock })
    const { body } = await propfind(mine(''), { Depth: 'infinity' })
    const [, far = ''] = body.split(`<D:href>${path}</D:href>`)
    expect(far.split('</D:response>')[0]).toContain('>deep<')
    expect(far.split('</D:response>')[0]).toContain('<D:activelock>')
  })
})

describe('G7: infinite depth over a tree without end', () => {
  const members = 200
  const levels = 3
  let scratch: Scratch
  let listed: number

  const entry = (name: string, kind: Entry['kind']): Entry => ({
    name,
    kind,
    size: 0,
    modifiedAt: 0,
    createdAt: 0,
    etag: '"1"',
  })

  /** 200 members in each directory, 8 million in all; one of them goes away before it is listed. */
  const endless: Pick<FileTree, 'stat' | 'list'> = {
    stat: (path) => Promise.resolve(entry(path.at(-1) ?? '', 'directory')),
    // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
    async *list(path) {
      if (path.at(-1) === 'd1') throw new FileError('not_found')
      listed += 1
      const kind = path.length < levels - 1 ? 'directory' : 'file'
      yield Array.from({ length: members }, (_, index) => entry(`d${index}`, kind))
    },
  }

  beforeAll(async () => {
    scratch = await startScratch({
      infiniteDepth: true,
      openTree: () => Promise.resolve(endless as FileTree),
    })
  })
  afterAll(() => scratch.stop())

  it('walks as far as the client reads, and no further when it is gone', async () => {
    listed = 0
    const socket = connect(scratch.port, '127.0.0.1')
    socket.write(
      `PROPFIND ${mine('')} HTTP/1.1\r\nHost: x\r\nAuthorization: ${credentials.alice}\r\n\r\n`,
    )
    const [first] = (await once(socket, 'data')) as [Buffer]
    expect(first.toString()).toMatch(/^HTTP\/1.1 207 [\s\S]*chunked/)
    socket.pause()
    // Until what the sockets hold is full; of 40,000 directories that is next to nothing.
    let before = -1
    while (before !== listed) {
      before = listed
      await wait(200)
    }
    expect(listed).toBeLessThan(1000)
    socket.destroy()
    await wait(200)
    expect(listed).toBeLessThan(1000)
    await expectAlive(scratch)
    expect(scratch.log).toEqual([])
  })
})
