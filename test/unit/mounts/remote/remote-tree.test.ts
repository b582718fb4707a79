import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { SeenRoot } from '../../../../src/db/schema/incoming.ts'
import { createRemoteTree, type RemoteTree } from '../../../../src/mounts/remote/remote-tree.ts'
import { independentPeer, type IndependentPeer } from '../../../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../../../support/share-with.ts'
import { startServer, type TestServer } from '../../../support/start-server.ts'
import { bytes, codeOf, contentOf } from '../../files/file-tree-contract.ts'
import { callerOf, type Caller } from './support.ts'

describe('what a remote tree asks of a real sender', () => {
  let server: TestServer
  let peer: IndependentPeer
  let home: string
  let folder: Caller
  let file: Caller
  let reader: Caller
  let tree: RemoteTree
  let seen: SeenRoot[] = []

  beforeAll(async () => {
    server = await startServer()
    peer = await independentPeer()
    await addAlice(server)
    ;({ home } = await server.services().users.getUser('alice'))
    const open = async (path: string, permissions: readonly ('read' | 'write')[]) => {
      const { secret } = await shareWith(server, peer, { mode: 'legacy', path, permissions })
      return callerOf(
        `${server.url}/dav/ocm`,
        `Basic ${Buffer.from(`${secret}:`).toString('base64')}`,
      )
    }
    folder = await open('/Holiday', ['read', 'write'])
    file = await open('/diary.txt', ['read', 'write'])
    reader = await open('/Holiday', ['read'])
  })
  beforeEach(() => {
    seen = []
    folder.sent.length = 0
    tree = createRemoteTree({ call: folder.call, name: 'Trip', onSeen: (root) => seen.push(root) })
  })
  afterAll(async () => {
    await Promise.all([folder.close(), file.close(), reader.close(), peer.close(), server.close()])
  })

  const methods = (): string[] => folder.sent.map(({ method }) => method)

  it('has a root with the name of the mount, and says when it was seen', async () => {
    const entry = await tree.stat([])
    expect(entry).toMatchObject({ name: 'Trip', kind: 'directory' })
    const { kind, size, modifiedAt, etag } = entry ?? {}
    expect(seen).toEqual([{ kind, size, modifiedAt, etag }])
    await tree.view?.([])
    expect(seen).toHaveLength(2)
  })

  it('has a root that is a file', async () => {
    const one = createRemoteTree({ call: file.call, name: 'Diary.txt' })
    expect(await one.stat([])).toMatchObject({ name: 'Diary.txt', kind: 'file', size: 10 })
    expect(await one.view?.([])).toBeUndefined()
    expect(await contentOf(one, [])).toBe('dear diary')
    expect(await one.write([], bytes('dear me'))).toMatchObject({
      created: false,
      entry: { name: 'Diary.txt', size: 7 },
    })
    expect(await readFile(join(home, 'diary.txt'), 'utf8')).toBe('dear me')
    expect(await codeOf(one.write(['x'], bytes('x')))).toBe('parent_missing')
    expect(await codeOf(one.remove([]))).toBe('is_root')
  })

  it('reads with one request, whole and in part', async () => {
    await writeFile(join(home, 'Holiday', 'ten'), '0123456789')
    expect(Buffer.concat(await readAll(await tree.read(['ten']))).toString()).toBe('0123456789')
    const part = await tree.read(['ten'], { range: 'bytes=-3' })
    expect(part.entry).toMatchObject({ name: 'ten', size: 10 })
    const end = await part.stream({ start: 7, end: 9 }).toArray()
    expect(Buffer.concat(end).toString()).toBe('789')
    expect(methods()).toEqual(['GET', 'GET'])
    const beyond = await tree.read(['ten'], { range: 'bytes=20-30' })
    expect(beyond.entry.size).toBe(10)
    await beyond.close()
  })

  it('pours a large file, whole and in part', async () => {
    const content = Buffer.alloc(20 * 1024 * 1024)
    for (let at = 0; at < content.length; at += 4) content.writeUInt32LE(at, at)
    await writeFile(join(home, 'Holiday', 'large'), content)
    const end = content.length - 1
    for (const range of [
      { start: 0, end },
      { start: 8 * 1024 * 1024 + 1, end },
      { start: 3, end: 9 },
    ]) {
      const file = await tree.read(['large'], { range: `bytes=${range.start}-` })
      const parts: Buffer[] = []
      const take = (part: Uint8Array) => Promise.resolve(void parts.push(Buffer.from(part)))
      await file.pour?.(take, range)
      await file.close()
      const expected = content.subarray(range.start, range.end + 1)
      expect(Buffer.concat(parts).equals(expected)).toBe(true)
    }
  })

  it('sends the length, the time and the condition of an upload', async () => {
    const modifiedAt = 1_000_000_000_000
    const options = { size: 3, modifiedAt, expected: 'absent' } as const
    const { entry, created } = await tree.write(['dated'], bytes('abc'), options)
    expect([created, entry.modifiedAt, entry.size]).toEqual([true, modifiedAt, 3])
    const { mtimeMs } = await stat(join(home, 'Holiday', 'dated'))
    expect(Math.floor(mtimeMs / 1000)).toBe(1_000_000_000)
    expect(folder.sent[0]?.headers).toEqual({
      'content-length': '3',
      'x-oc-mtime': '1000000000',
      'if-none-match': '*',
    })
  })

  it('says no where its sender does', async () => {
    const closed = createRemoteTree({ call: reader.call, name: 'Trip' })
    expect(await codeOf(closed.write(['no'], bytes('x')))).toBe('access_denied')
    expect(await codeOf(closed.mkdir(['no']))).toBe('access_denied')
    expect(await codeOf(closed.remove(['beach.txt']))).toBe('access_denied')
    expect(await contentOf(closed, ['beach.txt'])).toBe('sun and sand')
  })

  it('has a view that many share, until something changes', async () => {
    await tree.mkdir(['many'])
    for (const name of ['a', 'b', 'c']) await tree.write(['many', name], bytes(name))
    folder.sent.length = 0
    const views = await Promise.all(Array.from({ length: 20 }, async () => tree.view?.(['many'])))
    expect(methods()).toEqual(['PROPFIND'])
    expect(new Set(views).size).toBe(1)
    expect(views[0]?.members.map(({ name }) => name).sort()).toEqual(['a', 'b', 'c'])
    await new Promise((resolve) => setTimeout(resolve, 60))
    // Asked again, but what has the same bytes is the same.
    expect(await tree.view?.(['many'])).toBe(views[0])
    expect(methods()).toEqual(['PROPFIND', 'PROPFIND'])
    await tree.remove(['many', 'b'])
    const after = await tree.view?.(['many'])
    expect(after?.members.map(({ name }) => name).sort()).toEqual(['a', 'c'])
    expect(after?.version).not.toBe(views[0]?.version)
  })

  it('knows how much room there is, and of what is not there nothing', async () => {
    expect((await tree.space([]))?.availableBytes).toBeGreaterThan(0)
    expect(await tree.space(['none'])).toBeUndefined()
  })

  it('keeps dead properties at the sender', async () => {
    await mkdir(join(home, 'Holiday', 'p'))
    await writeFile(join(home, 'Holiday', 'p', 'x'), 'x')
    const { find, patch } = tree.properties(['p'])
    const value = '<a:colour xmlns:a="urn:a" a:of="sea">blue &amp; <a:deep/></a:colour>'
    const colour = { namespace: 'urn:a', name: 'colour' }
    expect(await patch(['p', 'x'], [{ ...colour, value }])).toEqual([200])
    expect(await patch(['p'], [{ namespace: '', name: 'bare', value: '<bare>1</bare>' }])).toEqual([
      200,
    ])
    const found = await find(['p'], 'members')
    expect(found.map(({ path, namespace, name }) => [path, namespace, name])).toEqual([
      [['p'], '', 'bare'],
      [['p', 'x'], 'urn:a', 'colour'],
    ])
    expect(found[1]?.value).toContain('blue &amp; <a:deep')
    expect(await find(['p'], 'self')).toHaveLength(1)
    expect(await find(['p'], 'members', ['colour'])).toHaveLength(1)
    expect(await patch(['p', 'x'], [colour])).toEqual([200])
    expect(await find(['p', 'x'], 'self')).toEqual([])
  })

  it('passes on what the sender says of each property', async () => {
    const { patch } = tree.properties([])
    const steps = [
      { namespace: 'urn:a', name: 'fine', value: '<fine xmlns="urn:a"/>' },
      { namespace: 'DAV:', name: 'getetag', value: '<D:getetag xmlns:D="DAV:">x</D:getetag>' },
    ]
    expect(await patch(['beach.txt'], steps)).toEqual([424, 403])
    expect(await codeOf(patch(['none'], steps))).toBe('not_found')
  })
})

async function readAll(file: Awaited<ReturnType<RemoteTree['read']>>): Promise<Buffer[]> {
  try {
    return (await file.stream().toArray()) as Buffer[]
  } finally {
    await file.close()
  }
}
