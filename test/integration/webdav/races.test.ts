import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { mine, startScratch, treeHash, type Scratch, type Sent } from './support.ts'
import { startSwapper } from './swapper.ts'

jest.setTimeout(60_000)

let scratch: Scratch
let outside: string

beforeEach(async () => {
  scratch = await startScratch()
  outside = join(dirname(scratch.home), 'outside')
  for (const folder of [join(scratch.home, 'dir'), outside]) {
    mkdirSync(join(folder, 'sub'), { recursive: true })
  }
  // The same names on both sides, so that whatever follows the link finds something.
  for (const name of ['read', 'written', 'removed', 'moved', 'sub/deep']) {
    writeFileSync(join(scratch.home, 'dir', name), 'inside')
    writeFileSync(join(outside, name), 'OUTSIDE')
  }
  writeFileSync(join(outside, 'NAME-OUTSIDE'), 'OUTSIDE')
})

afterEach(() => scratch.stop())

/** Also what was made and removed again: that moves the times of a directory. */
const traces = (): unknown[] =>
  ['', 'sub'].map((name) => {
    const { mtimeNs, ctimeNs, nlink } = statSync(join(outside, name), { bigint: true })
    return [name, mtimeNs, ctimeNs, nlink]
  })

const destination = (path: string): Record<string, string> => ({ Destination: mine(path) })

/** What clients do meanwhile; each may be told anything but what is outside. */
const requests: [string, number, (round: number) => Sent[]][] = [
  ['GET', 400, () => [{ method: 'GET', path: mine('dir/read') }]],
  ['GET of a page', 200, () => [{ method: 'GET', path: mine('dir/') }]],
  [
    'PROPFIND',
    200,
    () => [
      { method: 'PROPFIND', path: mine('dir/'), headers: { Depth: '1' } },
      { method: 'PROPFIND', path: mine('dir/NAME-OUTSIDE'), headers: { Depth: '0' } },
    ],
  ],
  ['PUT', 300, () => [{ method: 'PUT', path: mine('dir/written'), body: 'new' }]],
  [
    'PUT of a new file alone',
    300,
    (round) => [
      {
        method: 'PUT',
        path: mine(`dir/new-${round}`),
        headers: { 'If-None-Match': '*' },
        body: 'new',
      },
    ],
  ],
  ['MKCOL', 300, (round) => [{ method: 'MKCOL', path: mine(`dir/made-${round}`) }]],
  ['COPY out', 150, () => [{ method: 'COPY', path: mine('dir'), headers: destination('copy') }]],
  [
    'COPY in',
    200,
    () => [{ method: 'COPY', path: mine('plain'), headers: destination('dir/sub') }],
  ],
  [
    'MOVE in and out',
    200,
    () => [
      { method: 'MOVE', path: mine('dir/moved'), headers: destination('moved') },
      { method: 'MOVE', path: mine('moved'), headers: destination('dir/moved') },
    ],
  ],
  [
    'DELETE',
    300,
    () => [
      { method: 'DELETE', path: mine('dir/removed') },
      { method: 'PUT', path: mine('dir/removed'), body: 'again' },
      { method: 'DELETE', path: mine('dir/sub') },
      { method: 'MKCOL', path: mine('dir/sub') },
    ],
  ],
]

describe('a directory that becomes a link to elsewhere, again and again', () => {
  it.each(requests)('%s never leads there', async (_, rounds, requestsOf) => {
    mkdirSync(join(scratch.home, 'plain'), { recursive: true })
    const [hash, before] = [treeHash(outside), traces()]
    const swapper = startSwapper(join(scratch.home, 'dir'), outside, `${outside}-away`)
    for (let round = 0; round < rounds; round++) {
      const sent = requestsOf(round).map((one) => scratch.send({ as: 'alice', ...one }))
      for (const { body } of await Promise.all(sent)) expect(body).not.toContain('OUTSIDE')
    }
    await swapper.stop()
    expect(swapper.count()).toBeGreaterThan(100)
    expect(traces()).toEqual(before)
    expect(treeHash(outside)).toBe(hash)
    for (const file of readdirSync(scratch.home, { recursive: true, encoding: 'utf8' })) {
      const path = join(scratch.home, file)
      if (statSync(path).isFile()) expect(readFileSync(path, 'utf8')).not.toBe('OUTSIDE')
    }
  })
})
