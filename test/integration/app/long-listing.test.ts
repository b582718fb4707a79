import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, jest } from '@jest/globals'
import { crashStage } from '../crash/stage.ts'

/** Starts the built server, and makes many files. */
jest.setTimeout(60_000)

const members = 100_000
const mib = 1024

/** The most that the process has held at any time, in KiB (proc(5)). */
const peakOf = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

const hasPeak = existsSync('/proc/self/status')
const onLinux = hasPeak ? it : it.skip
if (!hasPeak) console.warn('SKIPPED: without /proc nobody knows how much memory the server held')

onLinux('G7: a listing of 100,000 members costs the server no more than 64 MiB', async () => {
  await using stage = await crashStage()
  await stage.fill('few', Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`${n}`, ''])))
  await stage.fill('many', { '0': '' })
  const script = `seq 1 ${members - 1} | xargs touch`
  execFileSync('sh', ['-c', script], { cwd: join(stage.home, 'many') })
  await stage.start()
  const { pid } = stage.process()
  for (let round = 0; round < 20; round += 1) await stage.dav('few').propfind('', '1')
  const before = peakOf(pid)
  const { status, text } = await stage.dav('many').propfind('', '1')
  expect(status).toBe(207)
  expect(text.split('<D:response>')).toHaveLength(members + 2)
  expect((peakOf(pid) - before) / mib).toBeLessThan(64)
})
