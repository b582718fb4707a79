import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCli, serveProcess } from '../../support/run-cli.ts'
import { basic, davClient } from '../../support/dav-client.ts'
import { crashStage, type CrashStage } from '../crash/stage.ts'
import { soundness } from './old-database.ts'

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))

/** Each case starts the built server. */
jest.setTimeout(60_000)

let stage: CrashStage

beforeAll(async () => {
  stage = await crashStage()
})

afterAll(async () => {
  await stage[Symbol.asyncDispose]()
})

const cwd = () => dirname(stage.configFile)

const davmesh = (...args: string[]) =>
  runCli(['--config', stage.configFile, ...args], { cwd: cwd() })

const update = (value: number): string =>
  '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>' +
  `<x:n xmlns:x="urn:x">${value}</x:n></D:prop></D:set></D:propertyupdate>`

describe('R16: db backup, while the server writes', () => {
  it('has everything that was acknowledged before, and a server starts from it', async () => {
    await stage.start()
    const dav = stage.dav()
    let written = 0
    let isDone = false
    const acknowledged: number[] = []
    async function write(): Promise<void> {
      while (!isDone) {
        const n = (written += 1)
        expect((await dav.put(`file-${n}.txt`, `content ${n}`)).status).toBe(201)
        expect((await dav.proppatch(`file-${n}.txt`, update(n))).status).toBe(207)
        acknowledged.push(n)
        // About fifty writes a second, two for each round.
        await new Promise((done) => setTimeout(done, 40))
      }
    }
    const writing = write()
    while (acknowledged.length < 20) await new Promise((done) => setTimeout(done, 20))
    const before = [...acknowledged]
    const copy = join(cwd(), 'restored')
    mkdirSync(copy, { mode: 0o700 })
    const file = join(copy, 'davmesh.sqlite')
    const made = await davmesh('db', 'backup', file, '--json')
    expect([made.code, made.err]).toEqual([0, ''])
    expect(made.json()).toEqual({ path: file, bytes: statSync(file).size })
    // In this order: docs/operations.md, "Backup".
    cpSync(stage.home, join(copy, 'files', 'alice'), { recursive: true, filter: isContent })
    cpSync(join(stage.dataDir, 'secret.key'), join(copy, 'secret.key'))
    isDone = true
    await writing
    expect(soundness(file)).toEqual(['ok', []])
    expect([statSync(file).mode & 0o777, readdirSync(copy).sort()]).toEqual([
      0o600,
      ['davmesh.sqlite', 'files', 'secret.key'],
    ])
    await expectRestored(copy, before)
  })

  const isContent = (path: string): boolean => !path.includes('.davmesh-')

  async function expectRestored(dataDir: string, names: readonly number[]): Promise<void> {
    const flags = ['--config', stage.configFile, '--data-dir', dataDir]
    // The database names the homes by their absolute paths.
    const moved = join(dataDir, 'files', 'alice')
    await stage.stop()
    await using server = await serveProcess(flags, { cwd: cwd() })
    const added = await runCli([...flags, 'user', 'app-password', 'alice', '--json'], {
      cwd: cwd(),
    })
    const { password } = added.json() as { password: string }
    const dav = davClient(`http://${server.address}/dav/files/alice/`, basic('alice', password))
    for (const n of names) {
      expect(existsSync(join(moved, `file-${n}.txt`))).toBe(true)
      expect((await dav.get(`file-${n}.txt`)).text).toBe(`content ${n}`)
      expect((await dav.propfind(`file-${n}.txt`)).text).toContain(`>${n}<`)
    }
    const checked = await runCli([...flags, 'db', 'check', '--json'], { cwd: cwd() })
    const kinds = (checked.json() as { kind: string }[]).map(({ kind }) => kind)
    expect(kinds.filter((kind) => !kind.startsWith('orphan_'))).toEqual([])
  }

  it('replaces nothing', async () => {
    const file = join(cwd(), 'mine.txt')
    writeFileSync(file, 'mine')
    const refused = await davmesh('db', 'backup', file)
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('exists already')])
    expect(statSync(file).size).toBe(4)
    const nowhere = await davmesh('db', 'backup', join(cwd(), 'nowhere', 'copy'))
    expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('could not be made')])
  })

  it('removes nothing that another backup is at', async () => {
    const file = join(cwd(), 'again.sqlite')
    writeFileSync(`${file}.partial`, 'of another')
    expect((await davmesh('db', 'backup', file)).code).toBe(0)
    expect(readFileSync(`${file}.partial`, 'utf8')).toBe('of another')
    const made = readdirSync(cwd()).filter((name) => name.startsWith('again.sqlite'))
    expect(made.sort()).toEqual(['again.sqlite', 'again.sqlite.partial'])
  })

  const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0
  if (!canTrace) console.warn('SKIPPED: without strace every file system here has hard links')

  it.each(canTrace ? ['EPERM', 'EOPNOTSUPP'] : [])('needs no hard links (%s)', (errno) => {
    const file = join(cwd(), `${errno}.sqlite`)
    const backup = () =>
      spawnSync(
        'strace',
        [
          ...[
            '-f',
            '--seccomp-bpf',
            '-o',
            '/dev/null',
            '-e',
            'trace=link,linkat',
            '-e',
            `inject=link,linkat:error=${errno}`,
          ],
          ...[process.execPath, main, '--config', stage.configFile, 'db', 'backup', file],
        ],
        { cwd: cwd(), encoding: 'utf8' },
      )
    const made = backup()
    expect([made.status, made.stderr]).toEqual([0, ''])
    expect(soundness(file)).toEqual(['ok', []])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(backup().stderr).toContain('exists already')
    expect(readdirSync(cwd()).filter((name) => name.startsWith(errno))).toEqual([`${errno}.sqlite`])
  })
})
