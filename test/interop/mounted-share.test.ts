/** What only a mount between two servers has: two trees in one, and a server behind the server. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cadaverFor, curlFor, rcloneFor } from './support/clients.ts'
import { whyNoMounts } from './support/mounts.ts'
import { openMountedShare, type Place } from './support/place.ts'
import { contentsOf, writeMany, writeSamples } from './support/samples.ts'
import { requireTools } from './support/tools.ts'

jest.setTimeout(600_000)

const noFuse = whyNoMounts()
if (noFuse !== undefined) {
  console.warn(`DAVFS2 ON A MOUNTED SHARE STAYS UNTESTED IN THIS RUN: ${noFuse}.`)
}

describe('a share of another server in the tree of a user', () => {
  /** bob's whole tree. */
  let place: Place
  /** What alice shares, on her server. */
  let theirs: string
  /** bob's own files, on his. */
  let own: string
  let rclone: Awaited<ReturnType<typeof rcloneFor>>
  let samples: string

  beforeAll(async () => {
    requireTools('rclone', 'cadaver', 'curl')
    const mounted = await openMountedShare()
    place = { ...mounted, url: mounted.url.replace('/Shared/Holiday', '') }
    theirs = mounted.root
    own = join(place.davmesh.dataDir, 'files', 'bob')
    rclone = await rcloneFor(place)
    samples = join(place.local, 'samples')
    writeSamples(samples)
    writeMany(join(samples, 'many'), 500)
  })

  afterAll(() => place.close())

  it('is among the own folders', async () => {
    expect((await rclone('lsf', '--dirs-only', ':webdav:')).split('\n')).toContain('Shared/')
    expect(await rclone('lsf', ':webdav:Shared')).toBe('Holiday/\n')
    expect(existsSync(join(own, 'Shared'))).toBe(false)
  })

  it('takes what rclone copies out of the own files, 500 files and every name, byte for byte', async () => {
    await rclone('copy', samples, ':webdav:own')
    await rclone('copy', ':webdav:own', ':webdav:Shared/Holiday/copied')
    expect(await contentsOf(join(theirs, 'copied'))).toEqual(await contentsOf(samples))
    await rclone('check', '--download', ':webdav:own', ':webdav:Shared/Holiday/copied')
    await rclone('check', '--download', samples, ':webdav:Shared/Holiday/copied')
  })

  it('gives it back, and follows what has changed since', async () => {
    rmSync(join(theirs, 'copied', 'many', 'folder 3'), { recursive: true })
    writeFileSync(join(theirs, 'copied', 'many', 'folder 4', 'new'), 'from alice')
    await rclone('sync', ':webdav:Shared/Holiday/copied', ':webdav:own')
    expect(await contentsOf(join(own, 'own'))).toEqual(await contentsOf(join(theirs, 'copied')))
    await rclone('sync', samples, ':webdav:Shared/Holiday/copied')
    expect(await contentsOf(join(theirs, 'copied'))).toEqual(await contentsOf(samples))
  })

  it('takes a folder that is moved in, whole, and gives it back the same way', async () => {
    const before = await contentsOf(join(own, 'own'))
    const curl = curlFor(place)
    const move = (to: string) => [
      '--request',
      'MOVE',
      '--header',
      `Destination: ${place.url}/${to}`,
    ]
    await curl(['own'], ...move('Shared/Holiday/moved'))
    expect(existsSync(join(own, 'own'))).toBe(false)
    expect(await contentsOf(join(theirs, 'moved'))).toEqual(before)
    await curl(['Shared', 'Holiday', 'moved'], ...move('back'))
    expect(existsSync(join(theirs, 'moved'))).toBe(false)
    expect(await contentsOf(join(own, 'back'))).toEqual(before)
    await rclone('purge', ':webdav:back')
  })

  it('is renamed by cadaver for bob alone, and used on under the new name', async () => {
    const cadaver = cadaverFor(place)
    writeFileSync(join(place.local, 'note'), 'from bob')
    const { out } = await cadaver([
      'cd Shared',
      'move Holiday "Sommer #1"',
      'cd "Sommer #1"',
      'put note "note 100%"',
      'cd ..',
      'move "Sommer #1" Holiday',
      'ls',
    ])
    expect(out).not.toMatch(/failed|error/i)
    expect(out).toMatch(/Coll:\s+Holiday/)
    expect(readFileSync(join(theirs, 'note 100%'), 'utf8')).toBe('from bob')
  })

  it('is uploaded to, read in parts and resumed by curl', async () => {
    const film = join(samples, 'five MiB.bin')
    const part = join(place.local, 'part')
    const curl = curlFor(place)
    const path = ['Shared', 'Holiday', 'film.bin']
    await curl(path, '--upload-file', film)
    await curl(path, '--range', '0-1999999', '--output', part)
    await curl(path, '--continue-at', '-', '--output', part)
    expect(readFileSync(part).equals(readFileSync(film))).toBe(true)
  })

  it('is declined when its folder is deleted, and nothing of it is', async () => {
    await curlFor(place)(['Shared', 'Holiday'], '--request', 'DELETE')
    expect(await rclone('lsf', ':webdav:')).not.toContain('Shared/')
    expect(existsSync(join(theirs, 'copied', 'five MiB.bin'))).toBe(true)
  })
})
