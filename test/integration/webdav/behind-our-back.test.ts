import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { release, takeLock } from './locking.ts'
import { mine, startScratch, type Scratch, type Who } from './support.ts'

let scratch: Scratch
let directory = ''

beforeAll(async () => {
  scratch = await startScratch()
  directory = join(scratch.home, 'shared')
  mkdirSync(join(directory, 'sub'))
  for (const name of ['a', 'b', 'c', 'sub/x']) writeFileSync(join(directory, name), name)
})

afterAll(() => scratch.stop())

/** The responses, or none for what is not there. */
async function responses(path: string, depth: string): Promise<string[]> {
  const headers = { Depth: depth }
  const reply = await scratch.send({ method: 'PROPFIND', path, as: 'alice', headers })
  expect([207, 404]).toContain(reply.status)
  return (reply.body.match(/<D:response>.*<\/D:response>/g) ?? []).sort()
}

/** What is there when each resource is looked at by itself. */
async function lookedAt(): Promise<string[]> {
  const paths = ['', ...readdirSync(directory)].map((name) => mine(`shared/${name}`))
  return (await Promise.all(paths.map((path) => responses(path, '0')))).flat().sort()
}

/** In a process of its own, with everything that a name, a size, a time or a version may do. */
const changes: [string, string][] = [
  ['a new file', 'echo new > new'],
  ['a longer file', 'echo more >> new'],
  ['the same size', 'printf z > a'],
  ['the same size and time', 'touch -r b stamp; printf y > b; touch -r stamp b; rm stamp'],
  ['another file of that name', 'printf w > temporary; touch -r b temporary; mv temporary b'],
  ['another time', 'touch -d @1000000000 c'],
  ['a rename', 'mv new renamed'],
  ['a swap of two names', 'mv a t; mv c a; mv t c'],
  ['a new directory', 'mkdir made'],
  ['a change in a directory', 'echo deep > sub/y'],
  ['a directory for a file', 'rm renamed; mkdir renamed'],
  ['a file for a directory', 'rmdir made; echo file > made'],
  ['a link for a file', 'rm made; ln -s a made'],
  ['what is gone', 'rm -r made renamed sub/y'],
  ['another directory of that name', 'mv ../shared ../old; cp -a ../old ../shared; rm -r ../old'],
]

describe('a directory that another process changes', () => {
  it.each(changes)('is listed as it is 100 ms after %s, time and again', async (_, script) => {
    // Listings that are remembered, and ones that are under way while it happens.
    let isOver = false
    const reading = Array.from({ length: 3 }, async () => {
      while (!isOver) await responses(mine('shared'), '1')
    })
    try {
      execFileSync('sh', ['-c', script], { cwd: directory })
      await wait(100)
      for (let round = 0; round < 3; round += 1) {
        const listed = await responses(mine('shared'), '1')
        expect(listed.length).toBeGreaterThan(4)
        expect(listed).toEqual(await lookedAt())
      }
    } finally {
      isOver = true
      await Promise.all(reading)
    }
  })

  it('gives content and version together, at once', async () => {
    for (let round = 0; round < 50; round += 1) {
      const text = String(round % 10)
      const path = mine('shared/a')
      execFileSync('sh', ['-c', `printf ${text} > a`], { cwd: directory })
      const got = await scratch.send({ method: 'GET', path, as: 'alice' })
      const head = await scratch.send({ method: 'HEAD', path, as: 'alice' })
      expect([got.body, got.headers.etag]).toEqual([text, head.headers.etag])
    }
  })
})

describe('a listing that is remembered', () => {
  it('shows a lock at once, and that it is gone', async () => {
    const isLocked = async (): Promise<boolean> =>
      (await responses(mine('shared'), '1')).join('').includes('<D:activelock>')
    for (let round = 0; round < 5; round += 1) {
      expect([await isLocked(), await isLocked()]).toEqual([false, false])
      const token = await takeLock(scratch, mine('shared/a'), 'alice')
      expect([await isLocked(), await isLocked()]).toEqual([true, true])
      await release(scratch, mine('shared/a'), 'alice', token)
    }
  })

  it('is of no use to others', async () => {
    const ask =
      '<propfind xmlns="DAV:"><prop><p:permissions xmlns:p="http://owncloud.org/ns"/></prop></propfind>'
    const letters = async (as: Who, path: string): Promise<Set<string | undefined>> => {
      const headers = { Depth: '1', 'Content-Type': 'application/xml' }
      const reply = await scratch.send({ method: 'PROPFIND', path, as, headers, body: ask })
      return new Set([...reply.body.matchAll(/<oc:permissions>(\w*)</g)].map(([, word]) => word))
    }
    for (let round = 0; round < 3; round += 1) {
      expect(await letters('writer', '/dav/ocm/')).toEqual(new Set(['RGCK', 'RGDNVW', 'RGDNVCK']))
      expect(await letters('reader', '/dav/ocm/')).toEqual(new Set(['G']))
      const refused = { method: 'PROPFIND', path: mine('shared'), headers: { Depth: '1' } }
      expect((await scratch.send({ ...refused, as: 'bob' })).status).toBe(404)
      expect((await scratch.send({ ...refused, as: 'bad' })).status).toBe(401)
    }
  })
})
