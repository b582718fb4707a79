import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { takeLock } from './locking.ts'
import { expectRefused, mine, shareId, startScratch, type Scratch, type Sent } from './support.ts'

let scratch: Scratch
let token = ''
let folder = ''
let foreign = ''
let etag = ''

beforeAll(async () => {
  scratch = await startScratch()
  mkdirSync(join(scratch.home, 'dir'))
  for (const file of ['a', 'free', 'dir/b', 'shared/note.txt']) {
    writeFileSync(join(scratch.home, file), file)
  }
  token = await takeLock(scratch, mine('a'), 'alice')
  folder = await takeLock(scratch, mine('dir'), 'alice')
  foreign = await takeLock(scratch, '/dav/ocm/note.txt', 'writer')
})

afterAll(() => scratch.stop())

beforeEach(async () => {
  const head = await scratch.send({ method: 'HEAD', path: mine('a'), as: 'alice' })
  etag = head.headers.etag ?? ''
})

const fill = (text: string): string =>
  text
    .replaceAll('TOKEN', `<${token}>`)
    .replaceAll('FOLDER', `<${folder}>`)
    .replaceAll('FOREIGN', `<${foreign}>`)
    .replaceAll('ETAG', `[${etag}]`)
    .replaceAll('<~', '</dav/files/alice')
    .replaceAll('<HOST', `<http://localhost:${scratch.port}`)

const put = (text: string, path = 'a'): Sent => ({
  method: 'PUT',
  path: mine(path),
  as: 'alice',
  headers: { If: fill(text) },
  body: 'new',
})

describe('RFC 4918 §10.4: If', () => {
  it.each([
    '(TOKEN)',
    '(TOKEN ETAG)',
    '(ETAG TOKEN Not <DAV:no-lock>)',
    '(["old"]) (TOKEN)',
    '(TOKEN ["old"]) (Not <DAV:no-lock>)',
    '(TOKEN) (Not <DAV:no-lock>)',
    '(TOKEN Not FOLDER)',
    '<~/a> (TOKEN)',
    '<HOST/dav/files/alice/a> (TOKEN)',
    '<~/free> (Not TOKEN) (TOKEN)',
    '<~/dir> (FOLDER) <~/a> (TOKEN)',
    '<~/dir> (["x"]) <~/a> (TOKEN)',
    '<~/dir/b> (FOLDER) <~/a> (TOKEN)',
    '<~/dir/not-yet> (FOLDER) <~/a> (TOKEN)',
    '<http://elsewhere.example/> (<urn:x>) <~/a> (TOKEN)',
  ])('writes to what is locked for %s', async (text) => {
    expect((await scratch.send(put(text))).status).toBe(204)
  })

  it.each([
    '(<urn:uuid:0>)',
    '(TOKEN <DAV:no-lock>)',
    '(TOKEN ["old"])',
    '(TOKEN Not ETAG)',
    '(Not TOKEN)',
    '(FOLDER)',
    '(FOREIGN)',
    '<~/free> (TOKEN)',
    '<~/dir> (TOKEN)',
    '<~/missing> (TOKEN)',
    '<~/dirt> (FOLDER)',
    '<http://elsewhere.example/> (TOKEN)',
    '</dav/files/bob/a> (TOKEN)',
  ])('S45: answers 412 to %s, which does not hold', async (text) => {
    await expectRefused(scratch, put(text), 412)
    await expectRefused(scratch, { ...put(text), method: 'DELETE', body: '' }, 412)
  })

  it.each([
    '(ETAG)',
    '(Not <DAV:no-lock>)',
    '(<urn:uuid:0>) (Not <DAV:no-lock>)',
    '(Not FOLDER)',
    '<~/dir> (FOLDER)',
    '<~/free> (Not TOKEN)',
  ])('answers 423 to %s, which holds without the token', async (text) => {
    await expectRefused(scratch, put(text), 423)
  })

  it('asks for no token where there is no lock', async () => {
    expect((await scratch.send(put('(Not <DAV:no-lock>)', 'free'))).status).toBe(204)
    await expectRefused(scratch, put('(<DAV:no-lock>)', 'free'), 412)
    await expectRefused(scratch, put('(TOKEN)', 'free'), 412)
    expect((await scratch.send(put('<~/a> (TOKEN)', 'free'))).status).toBe(204)
  })

  it('also decides over reading', async () => {
    const read = (text: string): Sent => ({ ...put(text), method: 'GET', body: '' })
    expect((await scratch.send(read('(TOKEN)'))).status).toBe(200)
    expect((await scratch.send(read('(<urn:uuid:0>)'))).status).toBe(412)
    expect((await scratch.send({ method: 'GET', path: mine('a'), as: 'alice' })).status).toBe(200)
  })

  it('knows a share under each of its URLs', async () => {
    for (const tag of ['/dav/ocm/note.txt', `/dav/ocm/${shareId}/note.txt`]) {
      const headers = { If: `<${tag}> (<${foreign}>)` }
      const path = '/dav/ocm/note.txt'
      const sent: Sent = { method: 'PUT', path, as: 'writer', headers, body: 'note' }
      expect((await scratch.send(sent)).status).toBe(204)
    }
  })

  it('lets a holder write twice at once: a token says nothing of versions', async () => {
    const race = [put('(TOKEN)'), put('(TOKEN)'), put('(TOKEN)')].map((sent) => scratch.send(sent))
    expect((await Promise.all(race)).map(({ status }) => status)).toEqual([204, 204, 204])
  })
})
