import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { FaultPoint } from '../../../src/core/index.ts'
import { runCli } from '../../support/run-cli.ts'
import type { Answer } from '../../support/http-request.ts'
import { crashStage, type CrashStage, type Dav } from './stage.ts'

/** Every case starts the built server. */
jest.setTimeout(60_000)

let stage: CrashStage

beforeAll(async () => {
  stage = await crashStage()
})

afterAll(async () => {
  await stage[Symbol.asyncDispose]()
})

const old = { 'a.txt': 'old', 'dir/x.txt': 'x', 'dir/y.txt': 'y', 'full/z.txt': 'z' }

describe('R6: a disk that fails once', () => {
  const to = '/dav/files/alice/disk/full'
  const rows: [string, `${FaultPoint}@${number}`, string, number, (dav: Dav) => Promise<Answer>][] =
    [
      ['PUT', 'put.written@1', 'enospc', 507, (dav) => dav.put('a.txt', 'new')],
      ['PUT', 'put.opened@1', 'eio', 500, (dav) => dav.put('a.txt', 'new')],
      ['COPY', 'copy.copied@2', 'enospc', 507, (dav) => dav.copyOrMove('COPY', 'dir', to)],
      ['MOVE', 'place.set-aside@1', 'eio', 500, (dav) => dav.copyOrMove('MOVE', 'dir', to)],
      ['DELETE', 'remove.removing@1', 'eio', 500, (dav) => dav.remove('dir')],
      ['DELETE', 'remove.removing@1', 'throw', 500, (dav) => dav.remove('dir')],
    ]

  it.each(rows)('%s, %s %s: %d, nothing changed, and it works again', async (...row) => {
    const [, point, action, status, request] = row
    await stage.start(`${point}:${action}`)
    await stage.fill('disk', old)
    const dav = stage.dav('disk')
    const refused = await request(dav)
    expect(refused.status).toBe(status)
    expect(refused.text).not.toMatch(/fault|\/tmp|EIO|ENOSPC/)
    expect(stage.files('disk')).toEqual(old)
    expect((await request(dav)).status).toBe(204)
    // Back to the old state for whoever comes next.
    for (const name of ['dir', 'full']) await dav.remove(name)
  })
})

describe('R1: a slow disk', () => {
  it('shows the whole old content until the whole new one is there', async () => {
    await stage.start('put.placing@2:sleep=400')
    const dav = stage.dav()
    expect((await dav.put('slow.txt', 'old')).status).toBe(201)
    const writer = { isDone: false }
    const put = dav.put('slow.txt', 'newer').finally(() => (writer.isDone = true))
    const seen = new Set<string>()
    while (!writer.isDone) seen.add((await dav.get('slow.txt')).text)
    expect((await put).status).toBe(204)
    seen.add((await dav.get('slow.txt')).text)
    expect([...seen]).toEqual(['old', 'newer'])
  })
})

describe('FAULT', () => {
  it('is said out loud', async () => {
    await stage.start('put.placed@9:throw')
    expect(stage.process().err()).toContain('this process will fail on purpose')
  })

  it('names the points there are when it is none of them', async () => {
    const started = stage.start('put.nowhere:kill' as 'put.placed:kill')
    await expect(started).rejects.toThrow(/is not point\[@n\]:action\. Points: put\.opened/)
  })

  it('is ignored by a server that is not for development, and by every other command', async () => {
    const fault = { FAULT: 'put.placed:kill' }
    await using quiet = await crashStage({ dev: false, publicUrl: 'https://cloud.example.org' })
    await quiet.start('put.placed:kill')
    expect(quiet.process().err()).toContain('FAULT is set and ignored')
    expect((await quiet.dav().put('a.txt', 'a')).status).toBe(201)
    const listed = await runCli(['user', 'list'], { cwd: quiet.dataDir, environment: fault })
    expect(listed.err).not.toContain('FAULT')
  })
})
