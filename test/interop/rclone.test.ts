import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { rcloneFor } from './support/clients.ts'
import { openPlace, placeNames, type Place } from './support/place.ts'
import { awkwardNames, contentsOf, writeMany, writeSamples } from './support/samples.ts'
import { requireTools } from './support/tools.ts'

jest.setTimeout(120_000)

describe.each(placeNames)('rclone on %s', (name) => {
  let place: Place
  let rclone: Awaited<ReturnType<typeof rcloneFor>>
  let samples: string

  beforeAll(async () => {
    requireTools('rclone')
    place = await openPlace(name)
    rclone = await rcloneFor(place)
    samples = join(place.local, 'samples')
    writeSamples(samples)
  })

  afterAll(() => place.close())

  it('copies every size and every awkward name there and back, byte for byte', async () => {
    const back = join(place.local, 'back')
    await rclone('copy', samples, ':webdav:')
    expect(await contentsOf(place.root)).toEqual(await contentsOf(samples))
    await rclone('copy', ':webdav:', back)
    expect(await contentsOf(back)).toEqual(await contentsOf(samples))
  })

  it('lists the names as they are', async () => {
    const listed = await rclone('lsf', ':webdav:')
    const names = listed.split('\n').filter((line) => line !== '')
    expect(names.sort()).toEqual(readdirSync(samples).sort())
  })

  it('finds no difference when it checks by reading everything', async () => {
    await rclone('check', '--download', samples, ':webdav:')
  })

  it('sees a difference when there is one', async () => {
    const other = join(place.local, 'other')
    await rclone('copy', ':webdav:one byte.bin', other)
    const [byte = 0] = readFileSync(join(other, 'one byte.bin'))
    writeFileSync(join(other, 'one byte.bin'), Uint8Array.of(byte ^ 1))
    await expect(rclone('check', '--download', other, ':webdav:')).rejects.toThrow(/differ/)
  })

  it('makes, renames and deletes folders and files', async () => {
    await rclone('mkdir', ':webdav:trip #1/day 100%/evening')
    await rclone('copyto', join(samples, 'five MiB.bin'), ':webdav:trip #1/day 100%/film.bin')
    await rclone('moveto', ':webdav:trip #1/day 100%/film.bin', ':webdav:trip #1/fïlm "2".bin')
    await rclone('moveto', ':webdav:trip #1', ':webdav:trip 🦊')
    expect(existsSync(join(place.root, 'trip #1'))).toBe(false)
    const made = await contentsOf(join(place.root, 'trip 🦊'))
    expect(Object.keys(made)).toEqual(['day 100%/', 'day 100%/evening/', 'fïlm "2".bin'])
    await rclone('deletefile', ':webdav:trip 🦊/fïlm "2".bin')
    await rclone('rmdir', ':webdav:trip 🦊/day 100%/evening')
    expect(Object.keys(await contentsOf(join(place.root, 'trip 🦊')))).toEqual(['day 100%/'])
    await rclone('purge', ':webdav:trip 🦊')
    expect(existsSync(join(place.root, 'trip 🦊'))).toBe(false)
  })

  it('copies on the server without carrying the bytes', async () => {
    await rclone('copyto', ':webdav:five MiB.bin', ':webdav:copied/again.bin')
    const copied = await contentsOf(join(place.root, 'copied'))
    expect(copied['again.bin']).toBe((await contentsOf(samples))['five MiB.bin'])
    expect(place.davmesh.readLog()).toContain('"method":"COPY"')
    await rclone('purge', ':webdav:copied')
  })

  it('overwrites, and reads a part', async () => {
    writeFileSync(join(place.local, 'note'), 'first version, the longer one')
    await rclone('copyto', join(place.local, 'note'), ':webdav:note.txt')
    writeFileSync(join(place.local, 'note'), '0123456789')
    await rclone('copyto', join(place.local, 'note'), ':webdav:note.txt')
    expect(await rclone('cat', ':webdav:note.txt')).toBe('0123456789')
    const part = ['--offset', '3', '--count', '4']
    expect(await rclone('cat', ...part, ':webdav:note.txt')).toBe('3456')
  })

  it('syncs files up, what has changed since, and all of it back', async () => {
    // rclone allows itself 100 requests in a second, so all of them go once into each kind of tree.
    const isForAll = [placeNames[0], placeNames[2], placeNames[4]].some((one) => one === name)
    const count = isForAll ? 500 : 50
    const many = join(place.local, 'many')
    const back = join(place.local, 'many back')
    writeMany(many, count)
    await rclone('sync', many, ':webdav:many')
    expect(await contentsOf(join(place.root, 'many'))).toEqual(await contentsOf(many))
    rmSync(join(many, 'folder 3'), { recursive: true })
    rmSync(join(many, 'folder 4', 'file 1'))
    writeFileSync(join(many, 'folder 4', 'file 2'), 'longer than before, much longer')
    writeFileSync(join(many, 'folder 4', 'file 1, again'), 'new')
    await rclone('sync', many, ':webdav:many')
    expect(await contentsOf(join(place.root, 'many'))).toEqual(await contentsOf(many))
    mkdirSync(join(back, 'only here'), { recursive: true })
    writeFileSync(join(back, 'only here', 'file'), 'to be deleted')
    await rclone('sync', '--create-empty-src-dirs', ':webdav:many', back)
    expect(await contentsOf(back)).toEqual(await contentsOf(many))
    await rclone('purge', ':webdav:many')
  })

  // rclone sets and compares no times with a server of vendor `other`, and has no checksums there.
  it('sees a change that leaves the size by reading, and carries it when told to', async () => {
    const [theirs, ours] = [join(place.root, 'notes'), join(place.local, 'notes')]
    mkdirSync(ours)
    writeFileSync(join(ours, 'note'), 'version 1')
    await rclone('sync', ours, ':webdav:notes')
    writeFileSync(join(ours, 'note'), 'version 2')
    await expect(rclone('check', '--download', ours, ':webdav:notes')).rejects.toThrow(/differ/)
    await rclone('sync', ours, ':webdav:notes')
    expect(readFileSync(join(theirs, 'note'), 'utf8')).toBe('version 1')
    await rclone('sync', '--ignore-times', ours, ':webdav:notes')
    expect(readFileSync(join(theirs, 'note'), 'utf8')).toBe('version 2')
  })

  it('as a client of ownCloud keeps times, and so sees every change by itself', async () => {
    const [theirs, ours] = [join(place.root, 'dated'), join(place.local, 'dated')]
    const sync = () => rclone('sync', '--webdav-vendor', 'owncloud', ours, ':webdav:dated')
    mkdirSync(ours)
    writeFileSync(join(ours, 'note'), 'version 1')
    utimesSync(join(ours, 'note'), 1_000_000_000, 1_000_000_000)
    await sync()
    expect(Math.floor(statSync(join(theirs, 'note')).mtimeMs / 1000)).toBe(1_000_000_000)
    writeFileSync(join(ours, 'note'), 'version 2')
    await sync()
    expect(readFileSync(join(theirs, 'note'), 'utf8')).toBe('version 2')
  })

  it('takes over the times of the server, and so sees what has changed there', async () => {
    const [theirs, ours] = [join(place.root, 'diary'), join(place.local, 'diary')]
    mkdirSync(theirs)
    writeFileSync(join(theirs, 'day'), 'version 1')
    utimesSync(join(theirs, 'day'), 1_000_000_000, 1_000_000_000)
    await rclone('sync', ':webdav:diary', ours)
    expect(statSync(join(ours, 'day')).mtimeMs).toBe(1_000_000_000_000)
    expect(await rclone('lsl', ':webdav:diary')).toMatch(/9 2001-09-09 01:46:40\.0+ day/)
    writeFileSync(join(theirs, 'day'), 'version 2')
    await rclone('sync', ':webdav:diary', ours)
    expect(readFileSync(join(ours, 'day'), 'utf8')).toBe('version 1')
    await rclone('sync', '--update', ':webdav:diary', ours)
    expect(readFileSync(join(ours, 'day'), 'utf8')).toBe('version 2')
  })

  it('syncs away what is gone on its own side', async () => {
    for (const gone of awkwardNames) rmSync(join(samples, gone))
    await rclone('sync', samples, ':webdav:')
    expect(await contentsOf(place.root)).toEqual(await contentsOf(samples))
  })
})
