import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { crashStage, type CrashStage, type Dav } from './stage.ts'

/** Every case starts the built server. */
jest.setTimeout(60_000)

let stage: CrashStage | undefined

afterEach(async () => {
  await stage?.[Symbol.asyncDispose]()
})

const calls = 'fsync,fdatasync,rename,renameat,renameat2,link,linkat,write,writev,sendto,sendmsg'

/** What the kernel is asked to do with the home, and when the client hears of it, in order. */
async function observe({ home, dataDir, process }: CrashStage, work: () => Promise<unknown>) {
  const trace = join(dataDir, 'trace')
  const target = String(process().pid)
  const flags = ['-f', '-y', '-s', '16', '-e', `trace=${calls}`, '-o', trace, '-p', target]
  const strace = spawn('strace', flags, { stdio: ['ignore', 'ignore', 'pipe'] })
  await once(strace.stderr, 'data')
  await work()
  const ended = once(strace, 'exit')
  strace.kill('SIGINT')
  await ended
  const lines = readFileSync(trace, 'utf8').split('\n')
  return lines.flatMap((line) => {
    if (line.includes('"HTTP/1.1 20')) return ['answer']
    const [, call = '', path = ''] = /^\d+ +(\w+)\(\d*[<"](\/[^>"]*)[>"]/.exec(line) ?? []
    // What is renamed is named by a directory that is held open.
    const [, member] = /^\/proc\/self\/fd\/\d+\/(.+)$/.exec(path) ?? []
    if ((member === undefined && !path.startsWith(home)) || /^(write|send)/.test(call)) return []
    const name = member ?? (path === home ? 'home' : path.slice(home.length + 1))
    return [`${call} ${name.replaceAll(/(\.davmesh-\w+)-\w+/g, '$1')}`]
  })
}

const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0
if (!canTrace) console.warn('SKIPPED: without strace nobody proves what reaches the disk')

const to = '/dav/files/alice/'
const rows: [string, (dav: Dav) => Promise<{ status: number }>, string[]][] = [
  [
    'PUT',
    (dav) => dav.put('dir/a', 'new'),
    ['fdatasync dir/.davmesh-put', 'rename .davmesh-put', 'fsync dir', 'answer'],
  ],
  [
    'PUT of a new file alone',
    (dav) => dav.put('dir/b', 'new', { 'if-none-match': '*' }),
    ['fdatasync dir/.davmesh-put', 'link .davmesh-put', 'fsync dir', 'answer'],
  ],
  [
    'MOVE',
    (dav) => dav.copyOrMove('MOVE', 'dir/a', `${to}other/c`),
    ['rename a', 'fsync dir', 'fsync other', 'answer'],
  ],
  [
    'COPY',
    (dav) => dav.copyOrMove('COPY', 'dir', `${to}copy`),
    [
      'fdatasync .davmesh-copy/b',
      'fsync .davmesh-copy',
      'rename .davmesh-copy',
      'fsync home',
      'answer',
    ],
  ],
  ['MKCOL', (dav) => dav.mkcol('made'), ['fsync home', 'answer']],
  ['DELETE', (dav) => dav.remove('copy'), ['rename copy', 'fsync home', 'answer']],
]

;(canTrace ? describe : describe.skip)('R22: durability', () => {
  it('full: content, then name, then directory, then the answer', async () => {
    stage = await crashStage({ files: { durability: 'full' } })
    await stage.fill('', { 'dir/a': 'a', 'other/z': 'z' })
    await stage.start()
    const dav = stage.dav()
    for (const [name, request, expected] of rows) {
      const seen = await observe(stage, () => request(dav))
      expect([name, seen]).toEqual([name, expected])
    }
  })

  it('normal: nothing waits for the disk', async () => {
    stage = await crashStage({ files: { durability: 'normal' } })
    await stage.fill('', { 'dir/a': 'a', 'other/z': 'z' })
    await stage.start()
    const dav = stage.dav()
    for (const [name, request, expected] of rows) {
      const seen = await observe(stage, () => request(dav))
      expect([name, seen]).toEqual([name, expected.filter((call) => !/^f\w*sync /.test(call))])
    }
  })
})
