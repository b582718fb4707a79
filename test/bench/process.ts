import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { track } from '../interop/support/tools.ts'

/** USER_HZ, which Linux fixes at 100 for everything it tells user space. */
const ticksPerSecond = 100

/** Seconds of processor time a process has used, user and system; undefined without /proc. */
export function cpuSecondsOf(pid: number): number | undefined {
  const stat = readProc(pid, 'stat')
  if (stat === undefined) return undefined
  // The name may contain spaces; the fields after its parenthesis do not (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** The processes that a process has started. */
export const childrenOf = (pid: number): number[] =>
  (readProc(pid, `task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number)

/** The same of a process and those it has started. */
export function cpuSecondsOfAll(pid: number): number | undefined {
  const all = [pid, ...childrenOf(pid)].map(cpuSecondsOf)
  return all.reduce((sum, one) => (sum === undefined || one === undefined ? one : sum + one), 0)
}

/** The most memory a process has ever held, in bytes; undefined without /proc. */
export function peakRssOf(pid: number): number | undefined {
  const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(readProc(pid, 'status') ?? '') ?? []
  return kib === undefined ? undefined : Number(kib) * 1024
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}

export interface Floor {
  readonly origin: string
  readonly pid: number
  stop(): void
}

/** The bare server that everything is compared with. */
export async function startFloor(): Promise<Floor> {
  const main = fileURLToPath(new URL('floor.ts', import.meta.url))
  const child = track(
    spawn(process.execPath, ['--import', 'tsx', main], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  for await (const origin of createInterface({ input: child.stdout })) {
    return { origin, pid: child.pid ?? 0, stop: () => void child.kill() }
  }
  throw new Error('the floor server ended without listening')
}
