import { execFileSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  createLocalTree,
  createTurns,
  putBackAt,
  repairLocalTree,
  subtree,
  type FileTree,
} from '../../../src/files/index.ts'
import { bytes, codeOf, contentOf, namesIn } from './file-tree-contract.ts'

let base: string
let root: string
let tree: FileTree

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'files-'))
  root = join(base, 'root')
  mkdirSync(join(root, 'dir'), { recursive: true })
  mkdirSync(join(base, 'outside'))
  writeFileSync(join(base, 'outside', 'secret'), 'secret')
  writeFileSync(join(root, 'dir', 'x'), 'x')
  tree = createLocalTree({ root, durability: 'normal' })
})

afterEach(() => rmSync(base, { recursive: true }))

describe('links and other things that are not files', () => {
  beforeEach(() => {
    symlinkSync('../outside', join(root, 'out'))
    symlinkSync('dir', join(root, 'inside'))
    symlinkSync('../outside/secret', join(root, 'link'))
    symlinkSync('nowhere', join(root, 'dangling'))
  })

  it('shows none', async () => {
    expect(await namesIn(tree, [])).toEqual(['dir'])
    for (const name of ['out', 'inside', 'link', 'dangling']) {
      expect(await tree.stat([name])).toBeUndefined()
      expect(await codeOf(() => tree.read([name]))).toBe('not_found')
      expect(await codeOf(namesIn(tree, [name]))).toBe('not_found')
      expect(await codeOf(tree.remove([name]))).toBe('not_found')
      expect(await codeOf(tree.copy([name], ['y'], { overwrite: true }))).toBe('not_found')
      expect(await codeOf(tree.move([name], ['y'], { overwrite: true }))).toBe('not_found')
    }
  })

  it('goes through none', async () => {
    for (const [name, file] of [
      ['out', 'secret'],
      ['inside', 'x'],
    ] as const) {
      expect(await tree.stat([name, file])).toBeUndefined()
      expect(await codeOf(() => tree.read([name, file]))).toBe('not_found')
      expect(await codeOf(tree.remove([name, file]))).toBe('not_found')
      expect(await codeOf(tree.write([name, 'new'], bytes('x')))).toBe('parent_missing')
      expect(await codeOf(tree.mkdir([name, 'new']))).toBe('parent_missing')
      const moved = tree.move(['dir', 'x'], [name, 'new'], { overwrite: true })
      expect(await codeOf(moved)).toBe('parent_missing')
    }
    expect(readdirSync(join(base, 'outside'))).toEqual(['secret'])
  })

  it('does not follow one that has taken the place of what was just looked at', async () => {
    writeFileSync(join(base, 'outside', 'x'), 'other')
    expect(await tree.stat(['dir', 'x'])).toMatchObject({ size: 1 })
    expect(await contentOf(tree, ['dir', 'x'])).toBe('x')
    renameSync(join(root, 'dir'), join(root, 'moved'))
    symlinkSync('../outside', join(root, 'dir'))
    expect(await tree.stat(['dir', 'x'])).toBeUndefined()
    expect(await codeOf(() => tree.read(['dir', 'x']))).toBe('not_found')
    expect(await tree.stat(['moved', 'x'])).toMatchObject({ size: 1 })
  })

  it('shows every change of what was just looked at', async () => {
    const file = join(root, 'dir', 'x')
    for (const content of ['ab', 'abc', 'abcd']) {
      writeFileSync(file, content)
      expect(await tree.stat(['dir', 'x'])).toMatchObject({ size: content.length })
    }
    rmSync(file)
    expect(await tree.stat(['dir', 'x'])).toBeUndefined()
  })

  it('replaces none, and leaves them out of copies', async () => {
    for (const name of ['out', 'link', 'dangling']) {
      expect(await codeOf(tree.write([name], bytes('x')))).toBe('not_served')
      expect(await codeOf(tree.mkdir([name]))).toBe('not_served')
      expect(await codeOf(tree.move(['dir'], [name], { overwrite: true }))).toBe('not_served')
      expect(lstatSync(join(root, name)).isSymbolicLink()).toBe(true)
    }
    symlinkSync('/etc', join(root, 'dir', 'etc'))
    await tree.copy(['dir'], ['copy'], { overwrite: true })
    expect(readdirSync(join(root, 'copy'))).toEqual(['x'])
  })

  it('removes links inside of a directory, not what they lead to', async () => {
    symlinkSync('../../outside', join(root, 'dir', 'out'))
    await tree.remove(['dir'])
    expect(existsSync(join(root, 'dir'))).toBe(false)
    expect(readFileSync(join(base, 'outside', 'secret'), 'utf8')).toBe('secret')
  })

  it('shows no FIFO and no socket, and does not wait for them', async () => {
    execFileSync('sh', ['-c', 'exec mkfifo "$0"', join(root, 'fifo')])
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(join(root, 'socket'), resolve))
    expect(await namesIn(tree, [])).toEqual(['dir'])
    expect(await codeOf(() => tree.read(['fifo']))).toBe('not_found')
    expect(await codeOf(() => tree.read(['socket']))).toBe('not_found')
    expect(await codeOf(tree.write(['fifo'], bytes('x')))).toBe('not_served')
    await new Promise((resolve) => server.close(resolve))
  })

  it('serves our own files with two names', async () => {
    linkSync(join(root, 'dir', 'x'), join(root, 'twin'))
    expect(await contentOf(tree, ['twin'])).toBe('x')
  })

  it('may itself be reached through a link', async () => {
    symlinkSync('root', join(base, 'alias'))
    const aliased = createLocalTree({ root: join(base, 'alias'), durability: 'normal' })
    expect(await contentOf(aliased, ['dir', 'x'])).toBe('x')
  })
})

describe('a root that is missing', () => {
  it('has nothing and takes nothing, until it is there', async () => {
    const later = createLocalTree({ root: join(base, 'later'), durability: 'normal' })
    expect(await later.stat([])).toBeUndefined()
    expect(await codeOf(() => later.read(['x']))).toBe('not_found')
    expect(await codeOf(later.write(['x'], bytes('x')))).toBe('parent_missing')
    mkdirSync(join(base, 'later'))
    expect(await codeOf(later.write(['x'], bytes('x')))).toBe('fine')
  })
})

describe('writing', () => {
  it('leaves the mode of a replaced file as it was', async () => {
    writeFileSync(join(root, 'script'), 'old', { mode: 0o750 })
    await tree.write(['script'], bytes('new'))
    expect(statSync(join(root, 'script')).mode & 0o777).toBe(0o750)
  })

  it('fails with parent_missing when the directory goes away meanwhile', async () => {
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield* bytes('half')
      await tree.remove(['dir'])
      yield* bytes('rest')
    }
    expect(await codeOf(tree.write(['dir', 'new'], slow()))).toBe('parent_missing')
    expect(readdirSync(root)).toEqual([])
  })

  it('does not touch the body before it is sure of the place', async () => {
    let touched = false
    async function* body(): AsyncGenerator<Uint8Array> {
      touched = true
      yield* bytes('x')
    }
    expect(await codeOf(tree.write(['none', 'x'], body()))).toBe('parent_missing')
    expect(touched).toBe(false)
  })
})

describe('a part whose root is a file', () => {
  it('reads and writes the file, and nothing else', async () => {
    const part = subtree(tree, ['dir', 'x'])
    expect(await part.stat([])).toMatchObject({ name: 'x', kind: 'file' })
    expect(await contentOf(part, [])).toBe('x')
    expect((await part.write([], bytes('y'))).created).toBe(false)
    expect(readFileSync(join(root, 'dir', 'x'), 'utf8')).toBe('y')
    expect(await codeOf(namesIn(part, []))).toBe('not_a_directory')
    expect(await codeOf(part.remove([]))).toBe('is_root')
    expect(await part.stat(['x'])).toBeUndefined()
    await tree.remove(['dir', 'x'])
    expect(await codeOf(part.write([], bytes('z')))).toBe('not_found')
  })
})

describe('a copy that nobody waits for any more', () => {
  const gone = new Error('gone')

  it('has ended before it began, and left nothing', async () => {
    const signal = AbortSignal.abort(gone)
    await expect(tree.copy(['dir'], ['copy'], { overwrite: false, signal })).rejects.toBe(gone)
    expect(readdirSync(root)).toEqual(['dir'])
  })

  it('ends in the middle of a file, and leaves what was there', async () => {
    const { signal } = endsAfter(5)
    writeFileSync(join(root, 'large'), Buffer.alloc(4_000_000, 'l'))
    const copied = tree.copy(['large'], ['dir', 'x'], { overwrite: true, signal })
    await expect(copied).rejects.toBe(gone)
    expect(readdirSync(root).sort()).toEqual(['dir', 'large'])
    expect(readdirSync(join(root, 'dir'))).toEqual(['x'])
    expect(readFileSync(join(root, 'dir', 'x'), 'utf8')).toBe('x')
  })

  /** Aborted when it has been looked at so many times. */
  function endsAfter(looks: number): AbortController {
    const controller = new AbortController()
    const look = controller.signal.throwIfAborted.bind(controller.signal)
    controller.signal.throwIfAborted = () => {
      looks -= 1
      if (looks === 0) controller.abort(gone)
      look()
    }
    return controller
  }
})

describe('repairLocalTree', () => {
  const swap = `.davmesh-swap-${'a'.repeat(22)}`
  const put = `.davmesh-put-${'b'.repeat(22)}`

  it('puts back what was set aside and not replaced', async () => {
    mkdirSync(join(root, swap, 'old', 'deep'), { recursive: true })
    expect(await repairLocalTree(root)).toEqual({ restored: 1, removed: 1 })
    expect(readdirSync(root).sort()).toEqual(['dir', 'old'])
    expect(readdirSync(join(root, 'old'))).toEqual(['deep'])
  })

  it('drops what was replaced, and every temporary anywhere', async () => {
    mkdirSync(join(root, swap, 'dir', 'older'), { recursive: true })
    writeFileSync(join(root, 'dir', put), 'half')
    mkdirSync(join(root, 'dir', '.davmesh-copy-1', 'x'), { recursive: true })
    mkdirSync(join(root, '.davmesh-trash-1'))
    expect(await repairLocalTree(root)).toEqual({ restored: 0, removed: 4 })
    expect(readdirSync(root)).toEqual(['dir'])
    expect(readdirSync(join(root, 'dir'))).toEqual(['x'])
    expect(await repairLocalTree(root)).toEqual({ restored: 0, removed: 0 })
  })

  it('waits for its turn, and never overwrites what came by then', async () => {
    const turns = createTurns()
    mkdirSync(join(root, swap))
    writeFileSync(join(root, swap, 'file'), 'old')
    const repaired = await turns.take([join(realpathSync(root), 'file')], async () => {
      const repairing = repairLocalTree(root, { turns })
      // Long enough for one that does not wait.
      await wait(100)
      writeFileSync(join(root, 'file'), 'new')
      return [repairing]
    })
    expect(await repaired[0]).toEqual({ restored: 0, removed: 1 })
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('new')
    expect(readdirSync(root).sort()).toEqual(['dir', 'file'])
  })

  it('ends its walk when nobody waits for it any more', async () => {
    writeFileSync(join(root, put), 'half')
    const signal = AbortSignal.abort()
    expect(await repairLocalTree(root, { signal })).toEqual({ restored: 0, removed: 0 })
    expect(existsSync(join(root, put))).toBe(true)
  })

  it('leaves what is not ours, and what may still be running', async () => {
    writeFileSync(join(root, '.davmesh-notes'), 'somebody else')
    writeFileSync(join(root, put), 'running')
    utimesSync(join(root, put), 2000, 2000)
    symlinkSync('../outside', join(root, 'out'))
    writeFileSync(join(base, 'outside', put), 'outside')
    expect(await repairLocalTree(root, { staleBefore: 2_000_000 })).toMatchObject({ removed: 0 })
    expect(await repairLocalTree(root, { staleBefore: 2_000_001 })).toMatchObject({ removed: 1 })
    expect(readdirSync(root).sort()).toEqual(['.davmesh-notes', 'dir', 'out'])
    expect(existsSync(join(base, 'outside', put))).toBe(true)
  })
})

describe('putBackAt', () => {
  const swap = `.davmesh-swap-${'a'.repeat(22)}`
  const others = `.davmesh-swap-${'b'.repeat(22)}`

  it('puts back what was set aside at the path, and leaves what others are at', async () => {
    mkdirSync(join(root, swap, 'old', 'deep'), { recursive: true })
    mkdirSync(join(root, others, 'another'), { recursive: true })
    expect(await putBackAt(join(root, 'old'))).toBe(true)
    expect(readdirSync(root).sort()).toEqual([others, 'dir', 'old'])
    expect(readdirSync(join(root, 'old'))).toEqual(['deep'])
  })

  it('throws away what was replaced: it does not come back when that is removed', async () => {
    mkdirSync(join(root, swap, 'dir', 'older'), { recursive: true })
    expect(await putBackAt(join(root, 'dir'))).toBe(false)
    await tree.remove(['dir'])
    expect(await repairLocalTree(root)).toEqual({ restored: 0, removed: 0 })
    expect(readdirSync(root)).toEqual([])
  })
})

describe('what holds the files', () => {
  it.each([
    ['auto', true],
    ['local', true],
    ['network', false],
  ] as const)('%s: listings and small files are kept: %s', async (medium, isKept) => {
    const onMedium = createLocalTree({ root, durability: 'normal', medium })
    const view = () => onMedium.view?.(['dir'])
    // Of what is asked for once nothing is kept.
    expect(await view()).toBeUndefined()
    const [one, other] = [await view(), await view()]
    expect(one !== undefined).toBe(isKept)
    expect(one?.members).toBe(other?.members)
    // Files that changed a moment ago are read each time.
    await wait(30)
    const [file, again] = [await onMedium.read(['dir', 'x']), await onMedium.read(['dir', 'x'])]
    expect(file === again).toBe(isKept)
    await Promise.all([file.close(), again.close()])
  })
})
