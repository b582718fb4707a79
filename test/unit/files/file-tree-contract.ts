import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Awaitable } from '../../../src/core/index.ts'
import {
  FileError,
  type FileErrorCode,
  type FileTree,
  type TreePath,
} from '../../../src/files/index.ts'

/** A tree under test, its root being an empty directory. */
export interface Subject {
  tree: FileTree
  dispose: () => void
}

export async function* bytes(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    await Promise.resolve()
    yield Buffer.from(chunk)
  }
}

export const contentOf = async (tree: FileTree, path: TreePath): Promise<string> => {
  const file = await tree.read(path)
  try {
    const chunks: Buffer[] = []
    for await (const chunk of file.stream() as AsyncIterable<Buffer>) chunks.push(chunk)
    const content = Buffer.concat(chunks)
    expect(Buffer.from(await file.bytes()).equals(content)).toBe(true)
    return content.toString()
  } finally {
    await file.close()
  }
}

export const namesIn = async (tree: FileTree, path: TreePath): Promise<string[]> => {
  const names: string[] = []
  for await (const batch of tree.list(path)) names.push(...batch.map(({ name }) => name))
  return names.sort()
}

/** The code that something fails with, at once or later. */
export const codeOf = async (
  work: Promise<unknown> | (() => Awaitable<unknown>),
): Promise<FileErrorCode | 'fine'> => {
  try {
    await (typeof work === 'function' ? work() : work)
    return 'fine'
  } catch (error) {
    if (error instanceof FileError) return error.code
    throw error
  }
}

/** Names of rules that something behind a tree makes impossible, and why. */
export type Exceptions = Readonly<Record<string, string>>

/** What every `FileTree` promises, whatever is behind it. */
export function describeFileTree(
  name: string,
  create: () => Promise<Subject>,
  exceptions: Exceptions = {},
): void {
  let tree: FileTree
  let dispose: () => void

  beforeEach(async () => {
    ;({ tree, dispose } = await create())
  })
  afterEach(() => dispose())

  const write = (path: TreePath, text: string) => tree.write(path, bytes(text))

  /** A rule that may have an exception, which shows in the report. */
  const rule = (title: string, run: () => Promise<void>): void => {
    const reason = exceptions[title]
    if (reason === undefined) it(title, run)
    else it.skip(`${title} (not here: ${reason})`, run)
  }

  describe(`${name}: files`, () => {
    it('creates, replaces and describes', async () => {
      const first = await tree.write(['a.txt'], bytes('he', '', 'llo'))
      expect(first).toMatchObject({
        created: true,
        entry: { name: 'a.txt', kind: 'file', size: 5 },
      })
      expect(first.entry.etag).toMatch(/^"[^"]+"$/)
      expect(await tree.stat(['a.txt'])).toEqual(first.entry)
      const second = await write(['a.txt'], 'later')
      expect(second.created).toBe(false)
      expect(second.entry.etag).not.toBe(first.entry.etag)
      expect(await contentOf(tree, ['a.txt'])).toBe('later')
    })

    it('gives every content an entity tag of its own', async () => {
      const tags = new Set<string>()
      for (let index = 0; index < 100; index += 1) tags.add((await write(['x'], 'x')).entry.etag)
      expect(tags.size).toBe(100)
    })

    rule('goes on reading what was replaced', async () => {
      await write(['a'], '0123456789')
      const file = await tree.read(['a'])
      await write(['a'], 'other')
      const part = file.stream({ start: 2, end: 4 })
      expect((await part.toArray()).join('')).toBe('234')
      expect(Buffer.from(await file.bytes()).toString()).toBe('0123456789')
      await file.close()
    })

    it('reads a part, and several at a time', async () => {
      await write(['a'], '0123456789')
      const file = await tree.read(['a'])
      const ranges = [
        { start: 2, end: 4 },
        { start: 9, end: 9 },
        { start: 0, end: 0 },
      ]
      const parts = ranges.map(async (range) => (await file.stream(range).toArray()).join(''))
      expect(await Promise.all(parts)).toEqual(['234', '9', '0'])
      await file.close()
    })

    it('carries large content through', async () => {
      const chunk = 'abcdefgh'.repeat(10_000)
      await tree.write(['large'], bytes(...Array.from({ length: 20 }, () => chunk)))
      expect(await contentOf(tree, ['large'])).toBe(chunk.repeat(20))
    })

    it('keeps the old content when the body fails or is too large', async () => {
      await write(['a'], 'old')
      const before = await tree.stat(['a'])
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield* bytes('half')
        throw new Error('the client went away')
      }
      await expect(tree.write(['a'], broken())).rejects.toThrow('went away')
      expect(await codeOf(tree.write(['a'], bytes('12', '34'), { maxBytes: 3 }))).toBe('too_large')
      expect(await tree.stat(['a'])).toEqual(before)
      expect(await namesIn(tree, [])).toEqual(['a'])
    })

    it('writes only what is still as expected', async () => {
      expect(await codeOf(tree.write(['a'], bytes('1'), { expected: 'absent' }))).toBe('fine')
      expect(await codeOf(tree.write(['a'], bytes('2'), { expected: 'absent' }))).toBe('changed')
      const { etag } = (await tree.stat(['a'])) ?? { etag: '' }
      expect(await codeOf(tree.write(['a'], bytes('3'), { expected: { etag } }))).toBe('fine')
      expect(await codeOf(tree.write(['a'], bytes('4'), { expected: { etag } }))).toBe('changed')
      expect(await contentOf(tree, ['a'])).toBe('3')
    })

    it('lets one of many equal expectations win', async () => {
      const { entry } = await write(['a'], 'old')
      const race = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          codeOf(tree.write(['a'], bytes(`${index}`), { expected: { etag: entry.etag } })),
        ),
      )
      expect(race.filter((code) => code === 'fine')).toHaveLength(1)
      expect(race.filter((code) => code === 'changed')).toHaveLength(19)
    })

    it('refuses what has no place', async () => {
      await tree.mkdir(['dir'])
      await write(['file'], 'x')
      expect(await codeOf(write(['none', 'x'], 'x'))).toBe('parent_missing')
      expect(await codeOf(write(['file', 'x'], 'x'))).toBe('parent_missing')
      expect(await codeOf(write(['dir'], 'x'))).toBe('is_a_directory')
      expect(await codeOf(write([], 'x'))).toBe('is_a_directory')
      expect(await codeOf(() => tree.read(['dir']))).toBe('is_a_directory')
      expect(await codeOf(() => tree.read(['none']))).toBe('not_found')
      expect(await codeOf(() => tree.read(['file', 'x']))).toBe('not_found')
      expect(await tree.stat(['file', 'x'])).toBeUndefined()
    })
  })

  describe(`${name}: directories`, () => {
    it('makes, lists and removes', async () => {
      await tree.mkdir(['d'])
      await write(['d', 'x'], 'x')
      await tree.mkdir(['d', 'e'])
      expect(await namesIn(tree, ['d'])).toEqual(['e', 'x'])
      expect(await tree.stat(['d'])).toMatchObject({ name: 'd', kind: 'directory', size: 0 })
      await tree.remove(['d'])
      expect(await namesIn(tree, [])).toEqual([])
      expect(await codeOf(tree.remove(['d']))).toBe('not_found')
    })

    it('changes the entity tag when a member changes', async () => {
      await tree.mkdir(['d'])
      const before = await tree.stat(['d'])
      await new Promise((resolve) => setTimeout(resolve, 15))
      await write(['d', 'x'], 'x')
      expect((await tree.stat(['d']))?.etag).not.toBe(before?.etag)
    })

    it('refuses what is there, what has no parent and what is none', async () => {
      await write(['file'], 'x')
      expect(await codeOf(tree.mkdir(['file']))).toBe('exists')
      expect(await codeOf(tree.mkdir(['none', 'x']))).toBe('parent_missing')
      expect(await codeOf(tree.mkdir(['file', 'x']))).toBe('parent_missing')
      expect(await codeOf(namesIn(tree, ['file']))).toBe('not_a_directory')
      expect(await codeOf(namesIn(tree, ['none']))).toBe('not_found')
    })
  })

  describe(`${name}: copy and move`, () => {
    const overwrite = { overwrite: true }

    it.each(['copy', 'move'] as const)('%s: creates, replaces, keeps', async (verb) => {
      await tree.mkdir(['src'])
      await write(['src', 'x'], 'x')
      await tree.mkdir(['dst'])
      await write(['dst', 'old'], 'old')
      await write(['file'], 'file')
      expect(await codeOf(tree[verb](['src'], ['dst'], { overwrite: false }))).toBe('exists')
      expect(await codeOf(tree[verb](['file'], ['dst'], { overwrite: false }))).toBe('exists')
      expect(await tree[verb](['src'], ['new'], { overwrite: false })).toEqual({ created: true })
      expect(await tree[verb](['new'], ['dst'], overwrite)).toEqual({ created: false })
      expect(await namesIn(tree, ['dst'])).toEqual(['x'])
      expect(await tree[verb](['file'], ['dst'], overwrite)).toEqual({ created: false })
      expect(await contentOf(tree, ['dst'])).toBe('file')
      expect((await tree.stat(['file'])) !== undefined).toBe(verb === 'copy')
    })

    it.each(['copy', 'move'] as const)('%s: refuses what cannot be', async (verb) => {
      await tree.mkdir(['a'])
      await tree.mkdir(['a', 'b'])
      await write(['file'], 'x')
      expect(await codeOf(tree[verb](['a'], ['a', 'b', 'c'], overwrite))).toBe('into_itself')
      expect(await codeOf(tree[verb](['a', 'b'], ['a'], overwrite))).toBe('into_itself')
      expect(await codeOf(tree[verb](['a'], ['a'], overwrite))).toBe('into_itself')
      expect(await codeOf(tree[verb](['none'], ['x'], overwrite))).toBe('not_found')
      expect(await codeOf(tree[verb](['file'], ['none', 'x'], overwrite))).toBe('parent_missing')
      expect(await codeOf(tree[verb](['file'], ['file', 'x'], overwrite))).toBe('parent_missing')
      expect(await codeOf(tree[verb](['a'], [], overwrite))).toBe('is_root')
      expect(await namesIn(tree, [])).toEqual(['a', 'file'])
    })

    it('copies without members when asked to', async () => {
      await tree.mkdir(['a'])
      await write(['a', 'x'], 'x')
      await tree.copy(['a'], ['a', 'inner'], { overwrite: false, shallow: true })
      expect(await namesIn(tree, ['a', 'inner'])).toEqual([])
    })
  })

  describe(`${name}: its edges`, () => {
    it('keeps its root', async () => {
      expect(await tree.stat([])).toMatchObject({ kind: 'directory' })
      expect(await codeOf(tree.remove([]))).toBe('is_root')
      expect(await codeOf(tree.move([], ['x'], { overwrite: true }))).toBe('is_root')
      expect(['exists', 'is_root']).toContain(await codeOf(tree.mkdir([])))
    })

    const bad = ['', '.', '..', 'a/b', 'a\\b', 'a\0b', 'a\nb', '\u007f', 'x'.repeat(256), '\ud800']

    it.each(bad)('finds nothing under %j and creates nothing', async (segment) => {
      for (const path of [[segment], [segment, 'x']]) {
        expect(await tree.stat(path)).toBeUndefined()
        expect(await codeOf(() => tree.read(path))).toBe('not_found')
        expect(await codeOf(tree.remove(path))).toBe('not_found')
        expect(await codeOf(write(path, 'x'))).toBe('forbidden_name')
        expect(await codeOf(tree.mkdir(path))).toBe('forbidden_name')
      }
      await write(['file'], 'x')
      expect(await codeOf(tree.move(['file'], [segment], { overwrite: true }))).toBe(
        'forbidden_name',
      )
    })

    it.each(['.davmesh-x', '.DAVMESH-put-1'])('reserves %s', async (segment) => {
      expect(await codeOf(write([segment], 'x'))).toBe('reserved_name')
      expect(await codeOf(tree.mkdir([segment]))).toBe('reserved_name')
      expect(await tree.stat([segment])).toBeUndefined()
    })

    it('takes names of up to 255 bytes', async () => {
      for (const segment of ['x'.repeat(255), 'é'.repeat(127), ' ', '...', '%2e', '#?&<>"']) {
        await write([segment], segment)
        expect(await contentOf(tree, [segment])).toBe(segment)
      }
    })
  })
}
