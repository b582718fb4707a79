import { mkdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { propertyOf } from './locking.ts'
import { expectRefused, mine, startScratch, type Scratch } from './support.ts'

let scratch: Scratch

beforeAll(async () => {
  scratch = await startScratch()
})

afterAll(() => scratch.stop())

const files = ['dir/a', 'dir/sub/deep', 'dirt', 'other/b', 'shared/note.txt']

beforeEach(async () => {
  for (const name of ['dir', 'dirt', 'other', 'new']) {
    await scratch.send({ method: 'DELETE', path: mine(name), as: 'alice' })
    rmSync(join(scratch.home, name), { recursive: true, force: true })
  }
  for (const name of ['dir/sub', 'other']) {
    mkdirSync(join(scratch.home, name), { recursive: true })
  }
  for (const file of files) {
    writeFileSync(join(scratch.home, file), file)
    await mark(file)
  }
  await mark('dir')
})

/** Gives a resource a property that says where it was. */
async function mark(path: string, value = path): Promise<void> {
  const body =
    '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>' +
    `<x:was xmlns:x="urn:x">${value}</x:was></D:prop></D:set></D:propertyupdate>`
  const headers = { 'Content-Type': 'application/xml' }
  await scratch.send({ method: 'PROPPATCH', path: mine(path), as: 'alice', headers, body })
}

/** Where the property of a resource says it was. */
async function was(path: string): Promise<string | undefined> {
  return />(.*)</.exec(await propertyOf(scratch, mine(path), 'alice', 'x:was'))?.[1]
}

/** `METHOD path` or `METHOD path > destination`. */
async function run(text: string, headers: Record<string, string> = {}): Promise<number> {
  const [, method = '', path = '', to] = /^(\S+) (\S+)(?: > (\S+))?$/.exec(text) ?? []
  const destination = to === undefined ? {} : { Destination: mine(to) }
  const sent = { method, path: mine(path), as: 'alice' } as const
  const reply = await scratch.send({ ...sent, headers: { ...headers, ...destination } })
  return reply.status
}

const sharePath = async (): Promise<unknown> =>
  (JSON.parse(await scratch.stored()) as unknown[][])[3]

describe('dead properties', () => {
  it('move with their resource and everything in it', async () => {
    expect(await run('MOVE dir > new')).toBe(201)
    expect(await was('new')).toBe('dir')
    expect(await was('new/a')).toBe('dir/a')
    expect(await was('new/sub/deep')).toBe('dir/sub/deep')
    expect(await was('dirt')).toBe('dirt')
    const headers = { Depth: '1', 'Content-Type': 'application/xml' }
    const list = { method: 'PROPFIND', path: mine('new'), as: 'alice', headers } as const
    const body = '<propfind xmlns="DAV:"><prop><was xmlns="urn:x"/></prop></propfind>'
    expect((await scratch.send({ ...list, body })).body.match(/urn:x">dir/g)).toHaveLength(2)
  })

  it('are copied, all the way or not', async () => {
    await run('COPY dir > new')
    expect([await was('new'), await was('new/sub/deep')]).toEqual(['dir', 'dir/sub/deep'])
    expect([await was('dir'), await was('dir/sub/deep')]).toEqual(['dir', 'dir/sub/deep'])
    await run('COPY dir > other', { Depth: '0' })
    expect(await was('other')).toBe('dir')
    await run('PUT other/b')
    expect(await was('other/b')).toBeUndefined()
  })

  it.each([
    'MOVE dir/a > other/b',
    'COPY dir/a > other/b',
    'MOVE dir/a > other',
    'COPY dir > other',
  ])('replace those of what %s replaces', async (text) => {
    await mark('other')
    expect(await run(text)).toBe(204)
    const target = text.split(' > ')[1] ?? ''
    expect(await was(target)).toBe(text.split(' ')[1])
    expect(await scratch.stored()).not.toContain(`>${target}<`)
  })

  it('are gone with what was removed, and do not come back with its name', async () => {
    await run('DELETE dir')
    expect(await scratch.stored()).not.toContain('>dir<')
    await run('MKCOL dir')
    expect(await was('dir')).toBeUndefined()
  })

  it('do not pass to something new that gets the name of what vanished', async () => {
    unlinkSync(join(scratch.home, 'dirt'))
    unlinkSync(join(scratch.home, 'other', 'b'))
    rmSync(join(scratch.home, 'dir'), { recursive: true })
    await run('PUT dirt')
    await run('MKCOL dir')
    await run('MKCOL dir/sub')
    await run('PUT dir/sub/deep')
    for (const path of ['dirt', 'dir', 'dir/sub/deep']) expect(await was(path)).toBeUndefined()
  })

  it('stay with a file whose content is replaced', async () => {
    expect(await run('PUT dir/a')).toBe(204)
    expect(await was('dir/a')).toBe('dir/a')
  })

  it('stay where they are when nothing happens', async () => {
    const rows: [string, number, Record<string, string>?][] = [
      ['MOVE dir > dir/sub/inner', 403],
      ['MOVE dir > none/new', 409],
      ['MOVE dir > other', 412, { Overwrite: 'F' }],
      ['COPY dir > other', 412, { Overwrite: 'F' }],
      ['COPY dir > .davmesh-x', 403],
      ['MOVE dir > .davmesh-x', 403],
      ['DELETE none', 404],
    ]
    for (const [text, status, headers = {}] of rows) {
      const before = await scratch.stored()
      expect([text, await run(text, headers)]).toEqual([text, status])
      expect(await scratch.stored()).toBe(before)
    }
  })

  it('move through a share to where its owner finds them', async () => {
    const headers = { Destination: '/dav/ocm/moved.txt' }
    await scratch.send({ method: 'MOVE', path: '/dav/ocm/note.txt', as: 'writer', headers })
    expect(await was('shared/moved.txt')).toBe('shared/note.txt')
    await run('DELETE shared/moved.txt')
  })

  it('takes no part in names that only look alike', async () => {
    writeFileSync(join(scratch.home, 'DIR'), '')
    writeFileSync(join(scratch.home, 'dir_'), '')
    mkdirSync(join(scratch.home, 'dir%'), { recursive: true })
    for (const path of ['DIR', 'dir_', 'dir%25']) await mark(path)
    await run('MOVE dir > new')
    expect(await was('DIR')).toBe('DIR')
    expect(await was('dir_')).toBe('dir_')
    expect(await was('dir%25')).toBe('dir%25')
    for (const path of ['DIR', 'dir_', 'dir%25']) await run(`DELETE ${path}`)
  })

  it('moves names of any script', async () => {
    const name = '\u{1f600}\u0301é'
    writeFileSync(join(scratch.home, 'dir', name), '')
    const path = encodeURIComponent(name)
    await mark(`dir/${path}`, 'here')
    await run(`MOVE dir > ${path}`)
    await run(`MOVE ${path} > new`)
    expect(await was(`new/${path}`)).toBe('here')
  })
})

describe('shares', () => {
  it('follow what they share, wherever it is moved', async () => {
    expect(await sharePath()).toEqual([{ path: ['shared'] }])
    await run('MOVE shared > other/inside')
    expect(await sharePath()).toEqual([{ path: ['other', 'inside'] }])
    await run('MOVE other > new')
    expect(await sharePath()).toEqual([{ path: ['new', 'inside'] }])
    await run('COPY new > other')
    expect(await sharePath()).toEqual([{ path: ['new', 'inside'] }])
    await run('MOVE new/inside > shared')
    expect(await sharePath()).toEqual([{ path: ['shared'] }])
  })

  it('answer 404 once it is removed, and keep their row', async () => {
    await run('DELETE shared')
    await expectRefused(scratch, { method: 'GET', path: '/dav/ocm/', as: 'reader' }, 404)
    expect(await sharePath()).toEqual([{ path: ['shared'] }])
    await run('MKCOL shared')
  })
})
