import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { accessSync, constants, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const children = new Set<ChildProcess>()

/** Started in a group of its own, so that its helpers end with it. */
export function startChild(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    ...options,
    detached: true,
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

export function killChildren(): void {
  for (const { pid } of children) {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    } catch {
      // It is gone already.
    }
  }
}

process.on('exit', killChildren)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

/** Runs to its end. @returns what it wrote. */
export async function runToEnd(command: string, args: readonly string[]): Promise<string> {
  const child = startChild(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}`)
  return text
}

/** Where a program is, or `undefined`. */
export function findProgram(name: string): string | undefined {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return places.map((place) => join(place, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export async function waitUntilAnswering(url: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const answered = await fetch(url, { method: 'OPTIONS' }).catch(() => undefined)
    if (answered) return
    await sleep(50)
  }
  throw new Error(`${url} does not answer`)
}

/** What a process tree has used. */
export interface Usage {
  readonly cpuMs: number
  readonly rssMib: number
  readonly peakRssMib: number
}

export function usageOf(root: number): Usage {
  const total = { cpuMs: 0, rssMib: 0, peakRssMib: 0 }
  for (const pid of treeOf(root)) {
    const status = read(`/proc/${pid}/status`)
    total.rssMib += kibOf(status, 'VmRSS') / 1024
    total.peakRssMib += kibOf(status, 'VmHWM') / 1024
    // After the name in parentheses: utime and stime, in hundredths of a second.
    const fields = read(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ')
    total.cpuMs += (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10
  }
  return total
}

/** Makes the peak begin anew at what is used now. */
export function resetPeak(root: number): void {
  for (const pid of treeOf(root)) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5')
    } catch {
      // Not ours to reset: the peak then is that of its whole life.
    }
  }
}

function treeOf(root: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const parent = /^PPid:\s+(\d+)/m.exec(/^\d+$/.test(name) ? read(`/proc/${name}/status`) : '')
    if (parent) parents.set(Number(name), Number(parent[1]))
  }
  const tree = [root]
  for (const one of tree) {
    for (const [pid, parent] of parents) if (parent === one) tree.push(pid)
  }
  return tree
}

const kibOf = (status: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
