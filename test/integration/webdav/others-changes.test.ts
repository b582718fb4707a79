import { lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Medium } from '../../../src/files/index.ts'
import { startMeddler, type Meddler } from './meddler.ts'
import { mine, startScratch, type Scratch } from './support.ts'

jest.setTimeout(120_000)

let scratch: Scratch
let meddler: Meddler
let folder: string

async function begin(medium?: Medium): Promise<void> {
  scratch = await startScratch({}, medium)
  folder = join(scratch.home, 'hot')
  mkdirSync(join(folder, 'sub', 'deep'), { recursive: true })
  for (const name of ['a', 'b', 'c', 'sub/x', 'sub/deep/y']) writeFileSync(join(folder, name), '0')
  meddler = startMeddler(folder)
}

afterEach(async () => {
  await meddler[Symbol.asyncDispose]()
  await scratch.stop()
})

/** What has to be in a listing of a folder, by what the kernel says of it now. */
function expected(path: string): Record<string, string> {
  const absolute = join(folder, path)
  const names = readdirSync(absolute).map((name) => [name, join(absolute, name)] as const)
  return Object.fromEntries(
    [['', absolute] as const, ...names].map(([name, at]) => {
      const stats = lstatSync(at)
      const { ino, size, mtimeMs } = stats
      const isDirectory = stats.isDirectory()
      const etag = `"${ino}-${isDirectory ? 0 : size}-${mtimeMs}"`
      const modified = new Date(mtimeMs).toUTCString()
      return [
        name + (isDirectory ? '/' : ''),
        [etag, modified, isDirectory ? 'directory' : String(size)].join(),
      ]
    }),
  )
}

async function listed(path: string): Promise<Record<string, string>> {
  const base = mine(join('hot', path, '/'))
  const sent = { method: 'PROPFIND', path: base, as: 'alice' as const, headers: { Depth: '1' } }
  const { status, body } = await scratch.send(sent)
  if (status !== 207) return { status: String(status) }
  return Object.fromEntries(
    [...body.matchAll(/<D:response>.*?<\/D:response>/gs)].map(([text]) => {
      const value = (name: string) => new RegExp(`<D:${name}>([^<]*)`).exec(text)?.[1] ?? ''
      const size = text.includes('<D:collection/>') ? 'directory' : value('getcontentlength')
      const name = value('href').slice(base.length)
      return [name === '' ? '/' : name, [value('getetag'), value('getlastmodified'), size].join()]
    }),
  )
}

/** One after another; what one leaves behind the next one finds. `n` is the round. */
const changes: [string, string][] = [
  ['content of the same size', `writeFileSync(d('a'), String(n % 10))`],
  [
    'content of the same size, in place',
    `const f = openSync(d('a'), 'r+'); writeSync(f, 'z'); closeSync(f)`,
  ],
  ['another size', `writeFileSync(d('b'), 'b'.repeat(n))`],
  ['appended to', `appendFileSync(d('b'), 'more')`],
  ['times alone', `utimesSync(d('c'), n, 1_600_000_000 + n)`],
  ['times of the folder', `utimesSync(d('.'), n, 1_600_000_000 + n)`],
  ['a file more', `writeFileSync(d('new-' + n), '')`],
  ['a file less', `unlinkSync(d('new-' + n))`],
  [
    'another name',
    `renameSync(d('c'), d('d')); renameSync(d('a'), d('c')); renameSync(d('d'), d('a'))`,
  ],
  [
    'replaced with its times',
    `const { atime, mtime } = statSync(d('a'));
    writeFileSync(d('tmp'), String(n)); utimesSync(d('tmp'), atime, mtime); renameSync(d('tmp'), d('a'))`,
  ],
  ['a directory for a file', `unlinkSync(d('b')); mkdirSync(d('b'))`],
  ['a file for a directory', `rmdirSync(d('b')); writeFileSync(d('b'), '')`],
  [
    'a link for a file',
    `unlinkSync(d('b')); symlinkSync('a', d('b')); unlinkSync(d('b')); writeFileSync(d('b'), 'x')`,
  ],
  [
    'another folder in its place',
    `mkdirSync(d('../other/sub/deep'), { recursive: true });
    for (const name of ['a', 'b', 'c', 'sub/x', 'sub/deep/y']) writeFileSync(d('../other/' + name), 'other' + n);
    renameSync(d('.').replace(/\\/$/, ''), d('../away')); renameSync(d('../other'), d('../hot'));
    rmSync(d('../away'), { recursive: true })`,
  ],
  [
    'a folder below',
    `writeFileSync(d('sub/deep/y'), 'y'.repeat(n)); writeFileSync(d('sub/n-' + n), '')`,
  ],
  [
    'another folder below',
    `cpSync(d('sub'), d('sup'), { recursive: true });
    rmSync(d('sub'), { recursive: true }); renameSync(d('sup'), d('sub'))`,
  ],
]

const manyRounds = Math.ceil(100 / changes.length)

async function meddle(patienceMs: number, rounds = manyRounds): Promise<void> {
  let isOver = false
  let count = 0
  const others = Array.from({ length: 8 }, async (_, index) => {
    while (!isOver) {
      const { status } = await listed(['', 'sub', 'sub/deep', ''][index % 4] ?? '')
      // A folder may be missing for a moment while another takes its place.
      expect([undefined, '404']).toContain(status)
      count += 1
    }
  })
  try {
    for (let round = 1; round <= rounds; round += 1) {
      for (const [name, script] of changes) {
        await meddler.does(`const n = ${round}; ${script}`)
        if (patienceMs > 0) await wait(patienceMs)
        for (const path of ['', 'sub', 'sub/deep']) {
          const { '/': own, ...members } = expected(path)
          expect([name, path, await listed(path)]).toEqual([name, path, { '/': own, ...members }])
        }
      }
    }
  } finally {
    isOver = true
    await Promise.all(others)
  }
  expect(count).toBeGreaterThan(rounds * changes.length)
}

describe('what others change behind our back', () => {
  it.each([
    ['auto', manyRounds],
    ['local', 2],
  ] as const)(
    'is in every listing 100 ms after the kernel shows it (%s)',
    async (medium, rounds) => {
      await begin(medium)
      await meddle(100, rounds)
    },
  )

  describe('files.medium: network', () => {
    beforeEach(() => begin('network'))

    it('is in every listing at once, because nothing is kept', () => meddle(0))

    it('is in every small file at once', async () => {
      const frozen = `const f = openSync(d('a'), 'r+'); writeSync(f, String(n % 10)); closeSync(f)`
      for (let round = 0; round < 200; round += 1) {
        await meddler.does(`const n = ${round}; ${frozen}`)
        const { body } = await scratch.send({ method: 'GET', path: mine('hot/a'), as: 'alice' })
        expect(body).toBe(String(round % 10))
      }
    })
  })

  it('is in every small file after 100 ms', async () => {
    await begin()
    for (let round = 0; round < 50; round += 1) {
      // Written twice within a tick of the kernel's clock, with a look in between.
      const get = () => scratch.send({ method: 'GET', path: mine('hot/a'), as: 'alice' })
      const rewrite = (text: string) =>
        meddler.does(`const f = openSync(d('a'), 'r+'); writeSync(f, '${text}'); closeSync(f)`)
      await rewrite('y')
      await get()
      await rewrite('z')
      await wait(100)
      expect((await get()).body).toBe('z')
    }
  })
})
