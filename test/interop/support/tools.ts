import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, constants, createReadStream, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** What a finished command said. */
export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
}

const children = new Set<ChildProcess>()
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')))

/** A child that does not outlive this process. */
export function track<Child extends ChildProcess>(child: Child): Child {
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Runs a command to its end; only what is in `env` and `PATH` reaches it. */
export async function run(
  command: string,
  args: readonly string[],
  { env = {}, cwd, input = '' }: RunOptions = {},
): Promise<Finished> {
  const path = { PATH: process.env['PATH'] ?? '' }
  const child = track(spawn(command, args, { cwd, env: { ...path, LC_ALL: 'C.UTF-8', ...env } }))
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  // A command that ends without reading its input is judged by its status.
  child.stdin.on('error', () => undefined).end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

/** Runs a command that must succeed and returns its output. */
export async function mustRun(
  command: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<string> {
  const { code, out, err } = await run(command, args, options)
  if (code === 0) return out
  throw new Error(`${command} ${args.join(' ')} ended with ${code ?? 'a signal'}:\n${err}${out}`)
}

/** Where Debian has the client, by the name of its binary. */
const debianPackages = {
  rclone: 'rclone',
  curl: 'curl',
  cadaver: 'cadaver',
  'mount.davfs': 'davfs2',
  fusermount: 'fuse',
  nginx: 'nginx',
  apache2: 'apache2-bin',
  openssl: 'openssl',
}

/** The path of a program, where it is installed. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

/** Fails the suite where a client is missing: a test that cannot run has not passed. */
export function requireTools(...names: (keyof typeof debianPackages)[]): void {
  const missing = names.filter((name) => findProgram(name) === undefined)
  if (missing.length === 0) return
  const packages = missing.map((name) => debianPackages[name]).join(' ')
  throw new Error(`${missing.join(', ')} not found; on Debian: apt-get install ${packages}`)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'davmesh-interop-'))

export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** Bytes of memory a process holds (`VmRSS`) or has held at most (`VmHWM`). */
export function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const [, kib = '0'] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status) ?? []
  return Number(kib) * 1024
}
