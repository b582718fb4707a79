import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mustRun, newFolder, track } from './tools.ts'

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))

/** A built davmesh in a process of its own, with files of its own. */
export interface Davmesh {
  readonly url: string
  readonly pid: number
  readonly dataDir: string
  readonly configFile: string
  /** What it printed on start. */
  readonly banner: string
  /** What it has logged so far. */
  readLog(): string
  /** Runs a command beside the server and returns what `--json` printed. */
  cli<Answer>(...args: readonly string[]): Promise<Answer>
  /** Makes a user and returns the app password. */
  addUser(name: string): Promise<string>
  stop(): Promise<void>
}

/**
 * @param settings over a configuration that lets peers live on loopback.
 * @param environment of the server, and of the commands beside it.
 */
export async function startDavmesh(
  settings: Record<string, unknown> = {},
  environment: { server?: Record<string, string>; commands?: Record<string, string> } = {},
): Promise<Davmesh> {
  const folder = newFolder()
  const configFile = join(folder, 'config.json')
  const running = await retryPort(async (port) => {
    const url = `http://localhost:${port}`
    const listen = { host: '127.0.0.1', port }
    const config = { publicUrl: url, listen, dataDir: './data', dev: true, ...settings }
    writeFileSync(configFile, JSON.stringify(config))
    return {
      url,
      ...(await serve(
        ['--config', configFile],
        folder,
        environment.server ?? {},
        /listening on .*\n/,
      )),
    }
  })
  const cli = async <Answer>(...args: readonly string[]): Promise<Answer> => {
    const flags = ['--config', configFile, '--json']
    return JSON.parse(
      await mustRun(process.execPath, [main, ...args, ...flags], {
        env: environment.commands ?? {},
      }),
    ) as Answer
  }
  return {
    ...running,
    dataDir: join(folder, 'data'),
    configFile,
    cli,
    addUser: async (name) => (await cli<{ password: string }>('user', 'add', name)).password,
    stop: () => stopAndForget(running, folder),
  }
}

/** `npm start` on a machine that has never seen davmesh: no configuration at all. */
export async function startEmbeddedDefault(): Promise<Omit<Davmesh, 'cli' | 'addUser'>> {
  const folder = newFolder()
  const running = await retryPort(async (port) => {
    const env = { DAVMESH_LISTEN: `127.0.0.1:${port}` }
    const url = `http://localhost:${port}`
    return { url, ...(await serve([], folder, env, /Another user:.*\n/)) }
  })
  const configFile = join(folder, 'config.json')
  const stop = () => stopAndForget(running, folder)
  return { ...running, dataDir: join(folder, 'data'), configFile, stop }
}

interface Running extends Pick<Davmesh, 'pid' | 'banner' | 'readLog'> {
  end(): Promise<void>
}

/** Resolves once the server has printed what `ready` matches. */
async function serve(
  flags: readonly string[],
  cwd: string,
  env: Record<string, string>,
  ready: RegExp,
): Promise<Running> {
  const log = join(cwd, 'davmesh.log')
  const logFile = openSync(log, 'w')
  const child = track(
    spawn(process.execPath, [main, 'serve', ...flags], {
      cwd,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', logFile],
    }),
  )
  closeSync(logFile)
  const readLog = () => readFileSync(log, 'utf8')
  let banner = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      banner += text
      if (ready.test(banner)) resolve()
    })
    child.once('exit', (code) =>
      reject(new Error(`davmesh ended with ${code ?? 'a signal'}:\n${readLog()}`)),
    )
  })
  return {
    pid: child.pid ?? 0,
    banner,
    readLog,
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** The port must be known before the start, since `publicUrl` names it; a lost race is run again. */
async function retryPort<Result>(start: (port: number) => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort())
    } catch (error) {
      if (attempt === 5 || !String(error).includes('EADDRINUSE')) throw error
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function stopAndForget(running: Running, folder: string): Promise<void> {
  await running.end()
  rmSync(folder, { recursive: true, force: true })
}
