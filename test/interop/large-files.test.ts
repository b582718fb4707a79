import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { curlFor, rcloneFor } from './support/clients.ts'
import { openPlace, placeNames, type Place } from './support/place.ts'
import { largeSize, writeLarge } from './support/samples.ts'
import { memoryOf, requireTools, sha256 } from './support/tools.ts'

jest.setTimeout(600_000)

const mib = 1024 * 1024
const growthLimit = 64 * mib

describe.each([placeNames[0], placeNames[2], placeNames[4]])('a file of 300 MiB on %s', (name) => {
  let place: Place
  let large: string
  let digest: string

  beforeAll(async () => {
    requireTools('rclone', 'curl')
    place = await openPlace(name)
    large = join(place.local, 'large.bin')
    writeLarge(large)
    digest = await sha256(large)
    await warmUp()
  })

  afterAll(() => place.close())

  /** Small transfers first, so that growth is what 300 MiB cost and not what starting does. */
  async function warmUp(): Promise<void> {
    const curl = curlFor(place)
    const small = join(place.local, 'small.bin')
    writeFileSync(small, Buffer.alloc(5 * mib))
    for (let turn = 0; turn < 3; turn++) {
      await curl(['small.bin'], '--upload-file', small)
      await curl(['small.bin'], '--output', small)
    }
  }

  /** Runs a transfer there and back; says how much memory the server took for it. */
  async function watchMemory(client: string, transfer: () => Promise<unknown>): Promise<void> {
    const { pid } = place.davmesh
    const before = memoryOf(pid, 'VmRSS')
    await transfer()
    const growth = memoryOf(pid, 'VmHWM') - before
    const [from, more] = [before, growth].map((bytes) => (bytes / mib).toFixed(1))
    console.info(`${client}, ${name}: server memory ${from} MiB, at most ${more} MiB more`)
    expect(growth).toBeLessThan(growthLimit)
  }

  it('goes up and down with rclone, whole, and the server holds little of it', async () => {
    const rclone = await rcloneFor(place)
    const back = join(place.local, 'rclone.bin')
    await watchMemory('rclone', async () => {
      await rclone('copyto', large, ':webdav:rclone.bin')
      await rclone('copyto', ':webdav:rclone.bin', back)
    })
    expect(statSync(back).size).toBe(largeSize)
    expect(await sha256(join(place.root, 'rclone.bin'))).toBe(digest)
    expect(await sha256(back)).toBe(digest)
    rmSync(back)
    rmSync(join(place.root, 'rclone.bin'))
  })

  it('goes up and down with curl, whole, and the server holds little of it', async () => {
    const curl = curlFor(place)
    const back = join(place.local, 'curl.bin')
    await watchMemory('curl', async () => {
      await curl(['curl.bin'], '--upload-file', large)
      await curl(['curl.bin'], '--output', back)
    })
    expect(statSync(back).size).toBe(largeSize)
    expect(await sha256(join(place.root, 'curl.bin'))).toBe(digest)
    expect(await sha256(back)).toBe(digest)
  })
})
