import { beforeEach, describe, expect, it } from '@jest/globals'
import type { FileTree } from '../../../src/files/index.ts'
import { treeOfFileSystem } from '../../../src/webdav/index.ts'
import { bytes, codeOf, contentOf, describeFileTree, namesIn } from '../files/file-tree-contract.ts'
import { CarelessFileSystem, MovingFileSystem, VagueFileSystem, virtual } from './file-systems.ts'

const exceptions = {
  'goes on reading what was replaced': 'a v2 file system opens names, not versions',
}

const systems = {
  'a virtual file system': virtual,
  'one with a move of its own': () => new MovingFileSystem(),
  'one without sizes and dates': () => new VagueFileSystem(),
}

for (const [name, create] of Object.entries(systems)) {
  const subject = () =>
    Promise.resolve({ tree: treeOfFileSystem(create()), dispose: () => undefined })
  describeFileTree(name, subject, exceptions)
}

describe('a tree over a careless file system', () => {
  let careless: CarelessFileSystem
  let tree: FileTree

  beforeEach(async () => {
    careless = new CarelessFileSystem()
    tree = treeOfFileSystem(careless)
    await tree.write(['old'], bytes('old text'))
  })

  it('passes on what is thrown or failed with as a surprise', async () => {
    careless.mode = 'throws'
    await expect(tree.stat(['old'])).rejects.toThrow('careless')
    careless.mode = 'text'
    await expect(tree.stat(['old'])).rejects.toThrow('the file system failed without an error')
  })

  it('takes the first of several answers', async () => {
    careless.mode = 'twice'
    expect(await tree.stat(['old'])).toMatchObject({ kind: 'file', size: 8 })
    expect(await contentOf(tree, ['old'])).toBe('old text')
    await new Promise((resolve) => setImmediate(resolve))
  })

  it('says that there is no space, and keeps the old content', async () => {
    careless.mode = 'full'
    expect(await codeOf(tree.write(['old'], bytes('new')))).toBe('no_space')
    expect(await codeOf(tree.write(['new'], bytes('new')))).toBe('no_space')
    expect(await codeOf(tree.copy(['old'], ['new'], { overwrite: false }))).toBe('no_space')
    await new Promise((resolve) => setImmediate(resolve))
    careless.mode = 'fine'
    expect(await contentOf(tree, ['old'])).toBe('old text')
    expect(Object.keys(careless.resources)).toEqual(['/', '/old'])
  })

  it('fails rather than ends when content is cut off', async () => {
    careless.mode = 'short'
    const short = await tree.read(['old'])
    await expect(short.bytes()).rejects.toThrow('became shorter')
    await short.close()
    careless.mode = 'breaks'
    const broken = await tree.read(['old'])
    await expect(broken.stream().toArray()).rejects.toThrow('the wire broke')
    await broken.close()
  })

  it('refuses to mix two versions of a file', async () => {
    const file = await tree.read(['old'])
    expect((await file.stream({ start: 0, end: 2 }).toArray()).join('')).toBe('old')
    await tree.write(['old'], bytes('new text'))
    expect(await codeOf(() => file.bytes())).toBe('changed')
    await file.close()
  })
})

describe('entity tags over a file system', () => {
  it.each([
    ['without sizes and dates', new VagueFileSystem()],
    ['with a move of its own', new MovingFileSystem()],
  ])('stand for one content each, whoever writes meanwhile (%s)', async (_, fileSystem) => {
    const tree = treeOfFileSystem(fileSystem)
    await tree.write(['x'], bytes('000'))
    const seen = new Map<string, Set<string>>()
    const note = (etag: string, content: string): void => {
      seen.set(etag, (seen.get(etag) ?? new Set()).add(content))
    }
    async function write(from: number): Promise<void> {
      for (let index = from; index < from + 50; index += 1) {
        const content = String(index).padStart(3, '0')
        note((await tree.write(['x'], bytes(content))).entry.etag, content)
      }
    }
    async function read(): Promise<void> {
      for (let index = 0; index < 100; index += 1) {
        const file = await tree.read(['x'])
        note(file.entry.etag, (await file.stream().toArray()).join(''))
        await file.close()
      }
    }
    await Promise.all([write(100), write(200), read(), read()])
    expect([...seen.values()].filter((contents) => contents.size > 1)).toEqual([])
    expect(seen.size).toBeGreaterThan(100)
  })

  it('are new for members when a directory of the same name takes its place', async () => {
    const tree = treeOfFileSystem(new VagueFileSystem())
    for (const name of ['d', 'e']) {
      await tree.mkdir([name])
      await tree.write([name, 'x'], bytes(name))
    }
    const before = await tree.stat(['d', 'x'])
    await tree.move(['e'], ['d'], { overwrite: true })
    expect(await namesIn(tree, [])).toEqual(['d'])
    expect((await tree.stat(['d', 'x']))?.etag).not.toBe(before?.etag)
  })
})
