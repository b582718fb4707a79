import { describe, expect, it, jest } from '@jest/globals'
import { existsSync } from 'node:fs'
import { runCliHere } from '../../support/cli-in-process.ts'
import { runCli } from '../../support/run-cli.ts'
import { childrenOf, openLanes, until, workersStage } from './stage.ts'

jest.setTimeout(60_000)

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`)

describe('a worker that dies (R21)', () => {
  it('is replaced, and nobody else is refused meanwhile', async () => {
    await using stage = await workersStage()
    await stage.start()
    const { pid, err } = stage.process()
    const before = childrenOf(pid)
    expect(before).toHaveLength(2)
    const [victim = 0] = before
    process.kill(victim, 'SIGKILL')
    await until(() => !isAlive(victim), 'the end of the worker')
    const diedAt = performance.now()
    // The other one answers.
    expect((await stage.dav().put('meanwhile.txt', 'x')).status).toBe(201)
    await until(() => err().includes('a worker was replaced'), 'a new worker')
    const tookMs = performance.now() - diedAt
    expect(tookMs).toBeLessThan(10_000)
    const after = childrenOf(pid)
    expect(after).toHaveLength(2)
    expect(after).not.toContain(victim)
    const lanes = await openLanes(stage)
    for (const { dav } of lanes) expect((await dav.get('meanwhile.txt')).text).toBe('x')
    for (const lane of lanes) lane[Symbol.dispose]()
  })

  it('leaves nothing half done: what it had set aside is put back while the others work', async () => {
    await using stage = await workersStage()
    await stage.fill('old', { 'kept.txt': 'old' })
    await stage.fill('new', { 'kept.txt': 'new' })
    await stage.start('place.set-aside:kill')
    const set = '<D:set><D:prop><t:mood xmlns:t="urn:t">old</t:mood></D:prop></D:set>'
    const patch = `<D:propertyupdate xmlns:D="DAV:">${set}</D:propertyupdate>`
    expect((await stage.dav().proppatch('old', patch)).status).toBe(207)
    const moving = stage.dav().copyOrMove('MOVE', 'new', '/dav/files/alice/old')
    await expect(moving).rejects.toThrow()
    const { err } = stage.process()
    await until(() => err().includes('what a dead worker was at is settled'), 'the settling')
    expect(err()).toContain('"restored":1,"interrupted":1')
    expect((await stage.dav().get('old/kept.txt')).text).toBe('old')
    expect((await stage.dav().get('new/kept.txt')).text).toBe('new')
    const asked =
      '<D:propfind xmlns:D="DAV:"><D:prop><t:mood xmlns:t="urn:t"/></D:prop></D:propfind>'
    expect((await stage.dav().propfind('old/', '0', asked)).text).toContain('>old<')
    // Its turns are free again.
    expect((await stage.dav().remove('old')).status).toBe(204)
  })

  it('again and again as soon as it serves: the server gives up and says so', async () => {
    await using stage = await workersStage()
    // The first look for what is due follows the start at once.
    await stage.start('outbox.looking:throw').catch(() => undefined)
    const { ended, err } = stage.process()
    expect(await ended).toBe(1)
    expect(err()).toContain('error: Workers die as soon as they serve; the log says why.')
    expect(err()).toContain('unexpected: this process ends')
  })

  it('does not outlive the one that started it', async () => {
    await using stage = await workersStage()
    await stage.start()
    const { pid, ended } = stage.process()
    const workers = childrenOf(pid)
    process.kill(pid, 'SIGKILL')
    await ended
    await until(() => !workers.some(isAlive), 'the end of the workers')
  })
})

describe('an unexpected exception in one process (R21)', () => {
  it('in a request: a 500 that names the request, and the server goes on', async () => {
    await using stage = await workersStage(1)
    await stage.start('put.opened:throw')
    const answer = await stage.dav().put('x.txt', 'x')
    expect(answer.status).toBe(500)
    const requestId = String(answer.headers['x-request-id'])
    const { err } = stage.process()
    const told = () =>
      err()
        .split('\n')
        .find((line) => line.includes('"level":50'))
    expect(await until(told, 'the log')).toContain(`"requestId":"${requestId}"`)
    expect((await stage.dav().propfind('', '0')).status).toBe(207)
  })

  it('in a timer: one fatal line, and the process ends', async () => {
    await using stage = await workersStage(1)
    await stage.start('outbox.looking:throw').catch(() => undefined)
    const { ended, err } = stage.process()
    expect(await ended).toBe(1)
    const fatal = err()
      .split('\n')
      .filter((line) => line.includes('"level":60'))
    expect(fatal).toHaveLength(1)
    expect(fatal[0]).toContain('fault: thrown')
  })
})

describe('a second server on the same data directory (R23)', () => {
  it.each([1, 2])(
    'is refused while one of %s processes runs; commands are not',
    async (workers) => {
      await using stage = await workersStage(workers)
      await stage.start()
      const args = ['--config', stage.configFile]
      const second = await runCli(['serve', ...args], { cwd: stage.dataDir })
      expect(second.code).toBe(1)
      expect(second.err.split('\n').filter((line) => line.startsWith('error:'))).toEqual([
        expect.stringContaining(`Another davmesh (process ${stage.process().pid}) serves`),
      ])
      const listed = await runCliHere([...args, 'user', 'list', '--json'], stage.dataDir)
      expect(listed.code).toBe(0)
      await stage.stop()
      await stage.start()
    },
  )
})
