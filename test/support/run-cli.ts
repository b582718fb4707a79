import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface CliOptions {
  readonly cwd: string
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
  /** SIGTERM after so long, for what should have ended by itself. */
  readonly timeoutMs?: number
}

export interface CliResult {
  readonly code: number
  readonly out: string
  readonly err: string
  json(): unknown
}

function start(
  args: readonly string[],
  { cwd, environment = {}, timeoutMs: timeout }: CliOptions,
): ChildProcess {
  const { PATH } = process.env
  return spawn(process.execPath, [main, ...args], { cwd, env: { PATH, ...environment }, timeout })
}

function collect(child: ChildProcess): { out(): string; err(): string } {
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()))
  return { out: () => out, err: () => err }
}

/** Runs one command of the built program in a process of its own. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const child = start(args, options)
  const { out, err } = collect(child)
  child.stdin?.end(options.input ?? '')
  const [code] = (await once(child, 'close')) as [number]
  return { code, out: out(), err: err(), json: () => JSON.parse(out()) as unknown }
}

export interface ServeProcess extends AsyncDisposable {
  /** Standard output until it listened. */
  readonly out: string
  /** `host:port` it listens on. */
  readonly address: string
  readonly pid: number
  err(): string
  /** How it ended, once it has: an exit status or a signal. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** SIGTERM, and the exit status. */
  stop(): Promise<number>
}

/** `davmesh serve` as a process, once it has said where it listens. */
export async function serveProcess(
  args: readonly string[],
  options: CliOptions,
): Promise<ServeProcess> {
  const child = start(['serve', ...args], options)
  child.stdin?.end()
  const { out, err } = collect(child)
  const closed = once(child, 'close')
  const address = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const [, found] = /listening on ([^\s,]+)/.exec(out()) ?? []
      // The whole banner is one write.
      if (found !== undefined) resolve(found)
    })
    void closed.then(() => reject(new Error(`serve ended: ${err()}`)))
  })
  async function stop(): Promise<number> {
    child.kill('SIGTERM')
    const [code] = (await closed) as [number]
    return code
  }
  return {
    out: out(),
    address,
    pid: child.pid ?? 0,
    err,
    ended: closed.then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals),
    stop,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await stop()
    },
  }
}
