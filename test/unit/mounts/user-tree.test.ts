import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { subtree, type Entry, type FileTree, type TreePath } from '../../../src/files/index.ts'
import type { Awaitable } from '../../../src/core/index.ts'
import { bytes, contentOf, describeFileTree, namesIn } from '../files/file-tree-contract.ts'
import { mountOf, stageOf, type Stage } from './stage.ts'

describeFileTree('a home without shares', () => {
  const { tree, dispose } = stageOf()
  return Promise.resolve({ tree, dispose })
})

describeFileTree('a directory of a home with shares', async () => {
  const { tree, dispose } = stageOf(mountOf('Trip'))
  await tree.mkdir(['own'])
  return { tree: subtree(tree, ['own']), dispose }
})

describeFileTree('a mount', () => {
  const { tree, dispose } = stageOf(mountOf('Trip'), mountOf('Other'))
  return Promise.resolve({ tree: subtree(tree, ['Shared', 'Trip']), dispose })
})

const messageOf = async (work: Awaitable<unknown>): Promise<string> => {
  try {
    await work
    return 'fine'
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`
  }
}

const overwrite = { overwrite: true }
const keep = { overwrite: false }

let stage: Stage
let tree: FileTree
beforeEach(() => {
  stage = stageOf(mountOf('Trip'), mountOf('beach.jpg', { resourceType: 'file' }))
  tree = stage.tree
})
afterEach(() => stage.dispose())

const write = (at: FileTree, path: TreePath, text: string) => at.write(path, bytes(text))

/** Everything on the disk, what is hidden included. */
const everything = (): string[] =>
  readdirSync(stage.root, { recursive: true, encoding: 'utf8' }).sort()

describe('the folder of shares', () => {
  it('is there as long as there is a share', async () => {
    await write(stage.home, ['a'], 'a')
    expect(await namesIn(tree, [])).toEqual(['Shared', 'a'])
    expect(await tree.stat(['Shared'])).toMatchObject({ name: 'Shared', kind: 'directory' })
    const withShares = await tree.stat([])
    stage.mounts = []
    expect(await namesIn(tree, [])).toEqual(['a'])
    expect(await tree.stat(['Shared'])).toBeUndefined()
    expect((await tree.stat([]))?.etag).not.toBe(withShares?.etag)
  })

  it('lists what the database knows', async () => {
    const seen = { kind: 'file', size: 7, modifiedAt: 5000, etag: '"x"' } as const
    stage.mounts = [mountOf('Trip'), mountOf('b.jpg', { seen, permissions: ['read'] })]
    const entries = (await Readable.from(tree.list(['Shared'])).toArray()).flat() as Entry[]
    expect(entries).toEqual([
      expect.objectContaining({ name: 'Trip', kind: 'directory', size: 0, modifiedAt: 2000 }),
      expect.objectContaining({ ...seen, name: 'b.jpg', permissions: ['read'] }),
    ])
    expect((await tree.view?.(['Shared']))?.members).toEqual(entries)
  })

  it.each([
    ['folder', 'a.b', 'directory'],
    ['file', 'photo.jpg', 'file'],
    ['file', 'photo (2).jpg', 'file'],
    ['file', 'Documents', 'directory'],
    ['file', '.hidden', 'directory'],
    ['file', 'v1. Notes of the year', 'directory'],
  ] as const)('takes a %s called %s that nobody has seen for a %s', async (type, name, kind) => {
    stage.mounts = [mountOf(name, { resourceType: type })]
    expect((await tree.glance?.(['Shared', name])) as object).toMatchObject({ kind })
  })

  it('has a view like its list, with a number of its own for each state', async () => {
    await write(stage.home, ['a'], 'a')
    const viewOf = async (path: TreePath) => {
      // A home keeps what it is asked for twice.
      await tree.view?.(path)
      return tree.view?.(path)
    }
    for (const path of [[], ['Shared']]) {
      const first = await viewOf(path)
      expect(first?.entry).toEqual(await tree.stat(path))
      expect(first?.members.map(({ name }) => name).sort()).toEqual(await namesIn(tree, path))
      expect((await viewOf(path))?.version).toBe(first?.version)
      const mounts = stage.mounts
      stage.mounts = mounts.slice(0, 1)
      const second = await viewOf(path)
      expect(second?.version).not.toBe(first?.version)
      stage.mounts = mounts
      expect((await viewOf(path))?.version).not.toBe(second?.version)
    }
  })

  it("is united with the user's own directory of that name", async () => {
    await stage.home.mkdir(['Shared'])
    await write(stage.home, ['Shared', 'mine'], 'mine')
    await write(stage.home, ['Shared', 'Trip'], 'hidden by the share')
    await write(stage.senderOf('Trip'), ['a'], 'theirs')
    expect(await namesIn(tree, ['Shared'])).toEqual(['Trip', 'beach.jpg', 'mine'])
    expect(await namesIn(tree, [])).toEqual(['Shared'])
    expect(await contentOf(tree, ['Shared', 'Trip', 'a'])).toBe('theirs')
    await write(tree, ['Shared', 'new'], 'new')
    expect(await contentOf(stage.home, ['Shared', 'new'])).toBe('new')
    await tree.view?.(['Shared'])
    const view = await tree.view?.(['Shared'])
    expect(view?.members.map(({ name }) => name).sort()).toEqual(await namesIn(tree, ['Shared']))
    stage.mounts = []
    expect(await contentOf(tree, ['Shared', 'Trip'])).toBe('hidden by the share')
  })

  it('takes nothing else, and says why', async () => {
    await write(stage.home, ['a'], 'a')
    const refusals = [
      await messageOf(write(tree, ['Shared', 'x'], 'x')),
      await messageOf(tree.mkdir(['Shared', 'x'])),
      await messageOf(tree.copy(['a'], ['Shared', 'x'], keep)),
      await messageOf(tree.move(['a'], ['Shared', 'x'], keep)),
      await messageOf(tree.move(['a'], ['Shared', 'Trip'], overwrite)),
      await messageOf(tree.copy(['a'], ['Shared'], overwrite)),
      await messageOf(tree.remove(['Shared'])),
      await messageOf(tree.move(['Shared'], ['Other'], keep)),
      await messageOf(tree.copy(['Shared'], ['Other'], keep)),
    ]
    for (const refusal of refusals) expect(refusal).toMatch(/^not_in_mount: .+[.]$/)
    expect(await messageOf(tree.mkdir(['Shared']))).toMatch(/^exists/)
    expect(await messageOf(write(tree, ['Shared'], 'x'))).toMatch(/^is_a_directory/)
    expect(await messageOf(tree.read(['Shared']))).toMatch(/^is_a_directory/)
    expect(await messageOf(tree.move(['a'], ['Shared', 'Trip'], keep))).toMatch(/^exists/)
    expect(await messageOf(tree.mkdir(['Shared', '.davmesh-x']))).toMatch(/^reserved_name/)
    expect(await namesIn(tree, [])).toEqual(['Shared', 'a'])
  })
})

describe('a mount as a whole', () => {
  it('gets another name in the folder of shares, and goes nowhere else', async () => {
    expect(await tree.move(['Shared', 'Trip'], ['Shared', 'Journey'], keep)).toEqual({
      created: true,
    })
    expect(await namesIn(tree, ['Shared'])).toEqual(['Journey', 'beach.jpg'])
    const from = ['Shared', 'Journey']
    expect(await messageOf(tree.move(from, ['Journey'], keep))).toMatch(/^not_in_mount/)
    expect(await messageOf(tree.move(from, ['Shared', 'a', 'b'], keep))).toMatch(/^not_in_mount/)
    expect(await messageOf(tree.move(from, ['Shared', 'beach.jpg'], keep))).toMatch(/^exists/)
    expect(await messageOf(tree.move(from, ['Shared', 'beach.jpg'], overwrite))).toMatch(
      /^not_in_mount/,
    )
    expect(await messageOf(tree.move(from, ['Shared', 'a\nb'], keep))).toMatch(/^forbidden_name/)
  })

  it('is given back when it is removed', async () => {
    await write(stage.senderOf('Trip'), ['a'], 'a')
    await tree.remove(['Shared', 'Trip'])
    expect(stage.declined).toEqual(['rcv-Trip'])
    expect(await contentOf(stage.senderOf('Trip'), ['a'])).toBe('a')
  })

  it('is known without asking its sender; nothing below is', async () => {
    expect(await tree.glance?.(['Shared', 'Trip'])).toMatchObject({ kind: 'directory' })
    expect(await tree.glance?.(['Shared', 'Trip', 'a'])).toBe('elsewhere')
    expect(await tree.glance?.(['Shared', 'none'])).toBeUndefined()
    expect(await tree.glance?.(['none'])).toBeUndefined()
  })

  it('permits what was shared', async () => {
    stage.mounts = [mountOf('Trip', { permissions: ['read'] }), mountOf('Other')]
    expect(await tree.permissionsAt?.(['Shared', 'Trip', 'a'])).toEqual(['read'])
    for (const path of [[], ['a'], ['Shared'], ['Shared', 'Other', 'a']]) {
      expect(await tree.permissionsAt?.(path)).toBeUndefined()
    }
  })
})

describe('between trees', () => {
  const trip = ['Shared', 'Trip']

  beforeEach(async () => {
    await stage.home.mkdir(['d'])
    await stage.home.mkdir(['d', 'e'])
    await write(stage.home, ['d', 'x'], 'home x')
    await write(stage.home, ['d', 'e', 'y'], 'home y')
    await stage.senderOf('Trip').mkdir(['t'])
    await write(stage.senderOf('Trip'), ['t', 'z'], 'trip z')
  })

  it.each(['copy', 'move'] as const)('%s: a directory to and fro', async (verb) => {
    expect(await tree[verb](['d'], [...trip, 'd'], keep)).toEqual({ created: true })
    expect(await contentOf(tree, [...trip, 'd', 'e', 'y'])).toBe('home y')
    expect(await tree[verb]([...trip, 't'], ['t'], keep)).toEqual({ created: true })
    expect(await contentOf(tree, ['t', 'z'])).toBe('trip z')
    const isCopy = verb === 'copy'
    expect([await tree.stat(['d']), await tree.stat([...trip, 't'])].map(Boolean)).toEqual([
      isCopy,
      isCopy,
    ])
    expect(everything().filter((name) => /davmesh|arriving/.test(name))).toEqual([])
  })

  it.each(['copy', 'move'] as const)('%s: replaces only when it may', async (verb) => {
    await stage.senderOf('Trip').mkdir(['d'])
    await write(stage.senderOf('Trip'), ['d', 'old'], 'old')
    await write(stage.home, ['t'], 'a file')
    expect(await messageOf(tree[verb](['d'], [...trip, 'd'], keep))).toMatch(/^exists/)
    expect(await messageOf(tree[verb]([...trip, 't'], ['t'], keep))).toMatch(/^exists/)
    expect(await tree[verb](['t'], [...trip, 'd'], overwrite)).toEqual({ created: false })
    expect(await contentOf(tree, [...trip, 'd'])).toBe('a file')
    expect(await tree[verb]([...trip, 't'], ['d'], overwrite)).toEqual({ created: false })
    expect(await namesIn(tree, ['d'])).toEqual(['z'])
  })

  it.each(['copy', 'move'] as const)('%s: a single file', async (verb) => {
    expect(await tree[verb](['d', 'x'], [...trip, 'x'], keep)).toEqual({ created: true })
    expect(await contentOf(tree, [...trip, 'x'])).toBe('home x')
    expect(await tree[verb]([...trip, 'x'], ['d', 'e', 'y'], overwrite)).toEqual({ created: false })
    expect(await contentOf(tree, ['d', 'e', 'y'])).toBe('home x')
  })

  it('copies a whole mount, and a directory without its members', async () => {
    await tree.copy(trip, ['copy'], keep)
    expect(await contentOf(tree, ['copy', 't', 'z'])).toBe('trip z')
    await tree.copy(['d'], [...trip, 'shallow'], { ...keep, shallow: true })
    expect(await namesIn(tree, [...trip, 'shallow'])).toEqual([])
  })

  it('keeps the time of a file that is moved', async () => {
    const modifiedAt = Date.UTC(2020, 1, 1)
    await stage.home.write(['d', 'old'], bytes('old'), { modifiedAt })
    await tree.move(['d'], [...trip, 'd'], keep)
    const moved = await tree.stat([...trip, 'd', 'old'])
    expect(Math.floor((moved?.modifiedAt ?? 0) / 1000)).toBe(modifiedAt / 1000)
  })

  it.each([
    ['into the home', [...trip, 't'], ['arrived']],
    ['out of it', ['d'], [...trip, 'arrived']],
  ])('leaves nothing behind when a move %s fails half-way', async (_name, from, to) => {
    const broken = (path: TreePath) =>
      path.at(-1) === 'z' || path.at(-1) === 'y'
        ? Promise.reject(new Error('the cable was cut'))
        : undefined
    for (const one of [stage.home, stage.senderOf('Trip')]) {
      const { read } = one
      one.read = (path, hint) => broken(path) ?? read(path, hint)
    }
    const before = everything()
    expect(await messageOf(tree.move(from, to, overwrite))).toMatch(/the cable was cut/)
    expect(everything()).toEqual(before)
    expect(before.join()).toContain(join('home', 'd', 'e', 'y'))
  })
})
