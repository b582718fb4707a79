import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { tempDir, type TempDir } from '../../support/temp-dir.ts'
import { crashStage, type CrashStage, type Dav } from './stage.ts'

/** Starts the built server. */
jest.setTimeout(60_000)

const mib = 1024 * 1024
const size = 4 * mib

let folder: TempDir
let disk: string
let isMounted = false

beforeAll(async () => {
  folder = await tempDir()
  disk = join(folder.path, 'disk')
  mkdirSync(disk)
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk])
  isMounted = mount.status === 0
})

afterAll(async () => {
  if (isMounted) execFileSync('umount', [disk])
  await folder[Symbol.asyncDispose]()
})

const chunked = (dav: Dav, path: string, body: Buffer) =>
  dav.put(path, body, { 'transfer-encoding': 'chunked' })

async function expectAsBefore(stage: CrashStage, dav: Dav): Promise<void> {
  expect(Object.keys(stage.files('.')).sort()).toEqual(['dir/b.bin', 'old.txt'])
  expect((await dav.get('old.txt')).text).toBe('old bytes')
}

describe('G5, R6: a disk that is full', () => {
  it('takes nothing that does not fit, keeps what it has, and goes on', async () => {
    if (!isMounted) {
      console.warn('SKIPPED: this user may not mount a small disk to fill')
      return
    }
    await using stage = await crashStage({ files: { root: disk } })
    await stage.start()
    const dav = stage.dav()
    await dav.put('old.txt', 'old bytes')
    await dav.mkcol('dir')
    expect((await dav.put('dir/b.bin', Buffer.alloc(1.5 * mib))).status).toBe(201)

    const tooMuch = Buffer.alloc(2 * size)
    for (const path of ['old.txt', 'new.txt']) {
      expect((await dav.put(path, tooMuch)).status).toBe(507)
      expect((await chunked(dav, path, tooMuch)).status).toBe(507)
      // Nothing of this has to come before it is known.
      const headers = { 'content-length': String(64 * mib), expect: '100-continue' }
      expect((await dav.call('PUT', path, { headers })).status).toBe(507)
      await expectAsBefore(stage, dav)
    }
    expect((await dav.put('c.bin', Buffer.alloc(1.5 * mib))).status).toBe(201)
    const copied = await dav.copyOrMove('COPY', 'dir', '/dav/files/alice/copy')
    expect(copied.status).toBe(507)
    expect((await dav.remove('c.bin')).status).toBe(204)
    await expectAsBefore(stage, dav)

    // There is room again.
    expect((await chunked(dav, 'old.txt', Buffer.alloc(1.5 * mib))).status).toBe(204)
    expect(stage.process().err()).not.toContain('"level":50')
  })
})
