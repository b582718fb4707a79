import { describe, expect, it, jest } from '@jest/globals'
import { readdirSync } from 'node:fs'
import { crashStage } from '../crash/stage.ts'
import { until } from '../workers/stage.ts'

/** Starts the built server. */
jest.setTimeout(60_000)

const count = 40

describe.each([1, 2])('a stop while %s process(es) copy a folder', (workers) => {
  it('cuts the copy: nothing of it is left, and nothing comes afterwards', async () => {
    await using stage = await crashStage({ workers, limits: { drainSeconds: 1 } })
    const names = Array.from({ length: count }, (_, index) => `file-${index}`)
    await stage.fill('album', Object.fromEntries(names.map((name) => [name, name])))
    // Half a minute for all of them.
    await stage.start('copy.copied:sleep=750')
    const server = stage.process()
    const cut = expect(
      stage.dav().copyOrMove('COPY', 'album', '/dav/files/alice/copied'),
    ).rejects.toThrow()
    const begun = () => readdirSync(stage.home).some((name) => name.startsWith('.davmesh-copy-'))
    await until(begun, 'a copy that has begun')
    process.kill(server.pid, 'SIGTERM')
    await cut
    expect(await server.ended).toBe(0)
    expect(stage.files('')).toEqual(
      Object.fromEntries(names.map((name) => [`album/${name}`, name])),
    )
    // Also that nothing is noted of it: the stage looks.
    await stage.start()
    expect((await stage.dav().propfind('copied')).status).toBe(404)
  })
})
