import { readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { FileError, type FileTree, type TreePath } from '../../../src/files/index.ts'
import { MountError } from '../../../src/mounts/errors.ts'
import { bytes, codeOf, contentOf } from '../files/file-tree-contract.ts'
import { mountOf, stageOf, type Stage } from './stage.ts'

const keep = { overwrite: false }

let stage: Stage
let home: FileTree
let sender: FileTree
beforeEach(() => {
  stage = stageOf(mountOf('Trip'))
  home = stage.home
  sender = stage.senderOf('Trip')
})
afterEach(() => stage.dispose())

const everythingIn = (name: string): string[] =>
  readdirSync(join(stage.root, name), { recursive: true, encoding: 'utf8' }).sort()

describe('a directory that takes its place in a mount, without an answer', () => {
  beforeEach(async () => {
    await home.mkdir(['d'])
    await home.write(['d', 'x'], bytes('x'))
  })

  const lose = (work: (move: FileTree['move']) => FileTree['move']) => {
    sender.move = work(sender.move.bind(sender))
  }
  const noAnswer = new MountError('sender_unreachable', 'No answer.')
  const move = () => stage.tree.move(['d'], ['Shared', 'Trip', 'd'], { overwrite: true })

  it('has moved when it was done', async () => {
    lose((really) => async (...ends) => {
      await really(...ends)
      throw noAnswer
    })
    expect(await move()).toEqual({ created: true })
    expect(everythingIn('.').filter((name) => name.includes('/'))).toEqual([
      'rcv-Trip/d',
      'rcv-Trip/d/x',
    ])
  })

  it('is left to its sender, which may still be about it, when it was not', async () => {
    lose(() => () => Promise.reject(noAnswer))
    await expect(move()).rejects.toBe(noAnswer)
    const [left = ''] = stage.left
    expect(left).toMatch(/^\.arriving-/)
    expect(everythingIn('rcv-Trip')).toEqual([left, `${left}/x`])
    expect(await contentOf(home, ['d', 'x'])).toBe('x')
  })

  it('is taken away again when it was refused', async () => {
    lose(() => () => Promise.reject(new FileError('locked')))
    expect(await codeOf(move())).toBe('locked')
    expect(everythingIn('rcv-Trip')).toEqual([])
    expect(stage.left).toEqual([])
  })

  it('is named when it can neither arrive nor be taken away', async () => {
    sender.write = () => Promise.reject(noAnswer)
    sender.remove = () => Promise.reject(noAnswer)
    await expect(move()).rejects.toBe(noAnswer)
    expect(stage.left).toEqual(everythingIn('rcv-Trip'))
  })
})

describe('a copy of what has no bounds', () => {
  const copy = () => codeOf(stage.tree.copy(['Shared', 'Trip'], ['copy'], keep))

  it.each([
    ['depth', 1, Infinity],
    ['breadth', 301, 1],
  ])('ends: %s', async (_what, count, depth) => {
    const entry = { size: 0, modifiedAt: 0, createdAt: 0, etag: '"x"', kind: 'directory' } as const
    // eslint-disable-next-line @typescript-eslint/require-await
    sender.list = async function* (path) {
      if (path.length >= depth) return
      yield Array.from({ length: count }, (_, index) => ({ ...entry, name: `d${index}` }))
    }
    expect(await copy()).toBe('too_large')
    expect(everythingIn('home')).toEqual([])
  })

  it('ends: a file longer than may be uploaded', async () => {
    await sender.write(['x'], bytes('x'.repeat(10_001)))
    expect(await copy()).toBe('too_large')
    expect(everythingIn('home')).toEqual([])
  })

  it('ends: a file larger than the disk', async () => {
    const { read } = sender
    await sender.write(['x'], bytes('x'))
    sender.read = async (path) => {
      const file = await read(path)
      return { ...file, entry: { ...file.entry, name: 'x', size: 2 ** 60 } }
    }
    expect(await copy()).toBe('no_space')
  })
})

describe.each([
  ['into a mount', 'home', ['d'], ['Shared', 'Trip', 'd']],
  ['out of a mount', 'rcv-Trip', ['Shared', 'Trip', 'd'], ['d']],
] as const)('a move %s', (_name, folder, from, to) => {
  let source: FileTree
  let target: FileTree
  beforeEach(async () => {
    ;[source, target] = folder === 'home' ? [home, sender] : [sender, home]
    await source.mkdir(['d'])
    await source.mkdir(['d', 'e'])
    await source.write(['d', 'e', 'x'], bytes('before'))
  })

  /** As soon as the content of a file has been read for the last time. */
  function afterReading(change: () => Promise<unknown>): void {
    const write = target.write.bind(target)
    const { receive } = target
    const changing = (tree: FileTree): FileTree => ({
      ...tree,
      async write(...asked) {
        const written = await tree.write(...asked)
        await change()
        return written
      },
    })
    if (receive) {
      target.receive = (path, options, fill) =>
        receive(path, options, (hidden, at) => fill(changing(hidden), at))
    } else target.write = changing({ ...target, write }).write
  }

  const write = (path: TreePath, text: string) => source.write(path, bytes(text))

  it.each([
    ['a deep file is replaced', () => write(['d', 'e', 'x'], 'after'), ['d', 'e', 'x']],
    ['a deep file is added', () => write(['d', 'e', 'new'], 'after'), ['d', 'e', 'new']],
  ] as const)('keeps the source when %s meanwhile', async (_what, change, changed) => {
    afterReading(change)
    expect(await codeOf(stage.tree.move(from, to, keep))).toBe('changed')
    expect(await contentOf(source, changed)).toBe('after')
  })

  it('keeps the source when something is gone meanwhile', async () => {
    afterReading(() => source.remove(['d', 'e', 'x']))
    expect(await codeOf(stage.tree.move(from, to, keep))).toBe('changed')
    expect(await source.stat(['d', 'e'])).toBeDefined()
  })

  it('refuses what holds something that is not shown, which a copy leaves out', async () => {
    symlinkSync('nowhere', join(stage.root, folder, 'd', 'e', 'link'))
    const before = everythingIn('.')
    expect(await codeOf(stage.tree.move(from, to, keep))).toBe('left_out')
    expect(everythingIn('.')).toEqual(before)
    await stage.tree.copy(from, to, keep)
    expect(await contentOf(target, ['d', 'e', 'x'])).toBe('before')
    expect(await target.stat(['d', 'e', 'link'])).toBeUndefined()
  })
})
