import { execFileSync } from 'node:child_process'
import { chownSync, linkSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { expectRefused, mine, startScratch, type Scratch, type Sent } from './support.ts'

let scratch: Scratch

/** What somebody with a shell can put into a home, and whether it could be made here. */
const oddities: [string, (path: string) => void][] = [
  ['a FIFO', (path) => void execFileSync('sh', ['-c', 'exec mkfifo "$0"', path])],
  ['a device', (path) => void execFileSync('mknod', [path, 'c', '1', '5'], { stdio: 'ignore' })],
  [
    "another user's file with a second name",
    (path) => {
      const elsewhere = join(dirname(scratch.home), 'elsewhere')
      writeFileSync(elsewhere, 'canary')
      chownSync(elsewhere, 12_345, 12_345)
      linkSync(elsewhere, path)
    },
  ],
]

beforeAll(async () => {
  scratch = await startScratch()
  mkdirSync(join(scratch.home, 'dir'))
  writeFileSync(join(scratch.home, 'dir', 'x'), 'x')
  writeFileSync(join(scratch.home, 'y'), 'y')
})

afterAll(() => scratch.stop())

const to = (path: string): Record<string, string> => ({ Destination: mine(path) })

describe('what is neither a file nor a directory of ours', () => {
  it.each(oddities)('%s does not exist for clients, and stays', async (name, make) => {
    const path = join(scratch.home, 'dir', 'odd')
    try {
      make(path)
    } catch (error) {
      console.warn(`SKIPPED: ${name} cannot be made by this user: ${String(error)}`)
      return
    }
    const { ino } = lstatSync(path)
    const odd: Sent = { method: 'GET', path: mine('dir/odd'), as: 'alice' }
    for (const method of ['GET', 'HEAD', 'PROPFIND', 'DELETE']) {
      await expectRefused(scratch, { ...odd, method }, 404)
    }
    for (const method of ['COPY', 'MOVE']) {
      await expectRefused(scratch, { ...odd, method, headers: to('taken') }, 404)
      await expectRefused(scratch, { ...odd, method, path: mine('y'), headers: to('dir/odd') }, 403)
    }
    await expectRefused(scratch, { ...odd, method: 'PUT', body: 'x' }, 403)
    await expectRefused(scratch, { ...odd, method: 'MKCOL' }, 403)
    for (const method of ['PROPFIND', 'GET']) {
      const list = { ...odd, method, path: mine('dir/'), headers: { Depth: '1' } }
      expect((await scratch.send(list)).body).not.toContain('odd')
    }
    const copy = { ...odd, method: 'COPY', path: mine('dir'), headers: to('copy') }
    expect((await scratch.send(copy)).status).toBe(201)
    expect(readdirSync(join(scratch.home, 'copy'))).toEqual(['x'])
    expect(lstatSync(path).ino).toBe(ino)
    await scratch.send({ ...odd, method: 'DELETE', path: mine('copy') })
    execFileSync('rm', [path])
  })
})

describe('reserved names in other spellings', () => {
  it.each([
    ['upper case', '.DAVMESH-put-x'],
    ['mixed case', '.DavMesh-put-x'],
    ['a long s, which is an S to file systems that ignore case', '.davme\u017fh-put-x'],
    ['full-width letters', '\uff0e\uff44avmesh-put-x'],
    ['a joiner that some file systems do not see', '.dav\u200cmesh-put-x'],
    ['a joiner in front', '\u200d.davmesh-put-x'],
    ['a byte order mark', '.davmesh\ufeff-put-x'],
  ])('%s', async (_, name) => {
    const path = mine(encodeURIComponent(name))
    await expectRefused(scratch, { method: 'PUT', path, as: 'alice', body: 'x' }, 403)
    await expectRefused(scratch, { method: 'MKCOL', path, as: 'alice' }, 403)
    const headers = { Destination: path }
    const move: Sent = { method: 'MOVE', path: mine('y'), as: 'alice', headers }
    await expectRefused(scratch, move, 403)
    writeFileSync(join(scratch.home, name), 'hidden')
    await expectRefused(scratch, { method: 'GET', path, as: 'alice' }, 404)
    const list: Sent = { method: 'PROPFIND', path: mine(''), as: 'alice', headers: { Depth: '1' } }
    expect((await scratch.send(list)).body).not.toContain('put-x')
  })

  it('leaves other names alone', async () => {
    for (const name of ['.davmesh', '.davmesh_x', 'davmesh-put-x', '.da\u0301vmesh-put-x', '.ſ']) {
      const sent = { method: 'PUT', path: mine(encodeURIComponent(name)), as: 'alice' } as const
      expect([name, (await scratch.send({ ...sent, body: 'x' })).status]).toEqual([name, 201])
    }
  })

  it('keeps two spellings of one name apart, byte for byte', async () => {
    const spellings = ['Caf\u00e9.txt', 'Cafe\u0301.txt', 'CAF\u00c9.txt']
    for (const name of spellings) {
      const sent = { path: mine(encodeURIComponent(name)), as: 'alice' } as const
      await scratch.send({ ...sent, method: 'PUT', body: name })
    }
    for (const name of spellings) {
      const sent = { path: mine(encodeURIComponent(name)), as: 'alice' } as const
      expect((await scratch.send({ ...sent, method: 'GET' })).body).toBe(name)
    }
    expect(readdirSync(scratch.home)).toEqual(expect.arrayContaining(spellings))
  })
})
