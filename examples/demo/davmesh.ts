/** Two davmesh servers as people run them: processes, configuration files, the command line. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** What one command line answered. */
export interface Answer {
  readonly code: number
  /** The value of `--json`, if it came to that. */
  readonly json: unknown
  readonly error: string
}

export interface Davmesh {
  readonly name: string
  readonly url: string
  /** Behind the `@` of its users. */
  readonly authority: string
  readonly configFile: string
  /** Runs `davmesh …` beside the server. */
  run(...args: readonly string[]): Promise<Answer>
  /** Puts a file into a user's home. */
  write(user: string, path: string, content: string): Promise<void>
  /** What a file in a user's home says, without blanks around it. */
  read(user: string, path: string): Promise<string>
  stop(): Promise<void>
}

/** A port that nobody has right now. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

/** Starts a server with its own folder below `parent`, and waits until it listens. */
export async function startDavmesh(parent: string, name: string): Promise<Davmesh> {
  const folder = join(parent, name)
  const configFile = join(folder, 'config.json')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  await mkdir(folder, { recursive: true })
  const config = {
    publicUrl: url,
    provider: `${name}’s server`,
    dataDir: './data',
    listen: { host: '127.0.0.1', port },
    // Plain http and loopback addresses: for a demonstration only.
    dev: true,
    federation: { reshare: true },
    log: { level: 'warn' },
  }
  await writeFile(configFile, JSON.stringify(config, null, 2))
  const child = spawn(process.execPath, [program, 'serve', '--config', configFile], {
    // Ctrl-C in the terminal is for us; we stop them in order.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  await untilListening(child)
  const inHome = (user: string, path: string) => join(folder, 'data', 'files', user, path)
  return {
    name,
    url,
    authority: `127.0.0.1:${port}`,
    configFile,
    run: (...args) => run([...args, '--config', configFile, '--json']),
    async write(user, path, content) {
      const file = inHome(user, path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, content)
    },
    read: async (user, path) => (await readFile(inHome(user, path), 'utf8')).trim(),
    async stop() {
      if (child.exitCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function untilListening({ stdout, stderr }: ChildProcess): Promise<void> {
  if (stdout === null || stderr === null) throw new Error('the server has no output')
  const errors = text(stderr)
  for await (const line of createInterface({ input: stdout })) {
    if (line.includes('listening on')) {
      stdout.resume()
      return
    }
  }
  throw new Error(`the server ended: ${await errors}`)
}

async function run(args: readonly string[]): Promise<Answer> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ])
  // A command that did its work in vain says why in its answer.
  const json: unknown = out === '' ? undefined : JSON.parse(out)
  const { problem } = (json ?? {}) as { problem?: string | null }
  return { code, json, error: problem ?? err.trim() }
}
