import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import type { Agent } from 'node:http'
import { dirname, join } from 'node:path'
import { expect } from '@jest/globals'
import { loadConfig } from '../../../src/config/index.ts'
import { createLogger, systemClock, type FaultPoint } from '../../../src/core/index.ts'
import { openServices } from '../../../src/services.ts'
import { basic, davClient } from '../../support/dav-client.ts'
import type { Answer } from '../../support/http-request.ts'
import { runCliHere } from '../../support/cli-in-process.ts'
import { serveProcess, type ServeProcess } from '../../support/run-cli.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** Paths and what is in the files; a path that ends in a slash is an empty folder. */
export type Files = Readonly<Record<string, string>>

export type Dav = ReturnType<typeof davClient>

/** One data directory with one user, and the built server over it as a process that may be killed. */
export interface CrashStage extends AsyncDisposable {
  readonly home: string
  readonly dataDir: string
  /** `--config` for what runs beside the server. */
  readonly configFile: string
  /** Puts files into a folder of the home. */
  fill(folder: string, files: Files): Promise<void>
  /** Everything in a folder as it is on the disk, names that no client sees included. */
  files(folder: string): Files
  /** Starts the server, or starts it again, armed with a fault or not, with more in its environment. */
  start(
    fault?: `${FaultPoint}${'' | `@${number}`}:${string}`,
    environment?: Readonly<Record<string, string>>,
  ): Promise<void>
  /** A client of the running server, in the home or a folder of it, with connections of its own. */
  dav(folder?: string, agent?: Agent): Dav
  /** The request ends the server as a power cut would: no answer, no clean-up. */
  dies(request: Promise<Answer>): Promise<void>
  /** The running server. */
  process(): ServeProcess
  stop(): Promise<void>
}

export async function crashStage(settings: Record<string, unknown> = {}): Promise<CrashStage> {
  const folder = await tempDir()
  const dataDir = join(folder.path, 'data')
  const configFile = join(folder.path, 'config.json')
  const listen = { host: '127.0.0.1', port: 0 }
  const config = { publicUrl: 'http://127.0.0.1:9', listen, dataDir, dev: true, ...settings }
  writeFileSync(configFile, JSON.stringify(config))
  const args = ['--config', configFile]
  const added = await runCliHere([...args, 'user', 'add', 'alice', '--json'], folder.path)
  const { password } = JSON.parse(added.out) as { password: string }
  const listed = await runCliHere([...args, 'user', 'list', '--json'], folder.path)
  const [{ home }] = JSON.parse(listed.out) as [{ home: string }]
  let running: ServeProcess | undefined
  let hasDied = false

  const current = (): ServeProcess => {
    if (!running) throw new Error('no server runs')
    return running
  }

  async function stop(): Promise<void> {
    await running?.[Symbol.asyncDispose]()
    running = undefined
  }

  return {
    home,
    dataDir,
    configFile,
    async fill(folder, files) {
      for (const [path, content] of Object.entries(files)) {
        const target = join(home, folder, path)
        await mkdir(dirname(target), { recursive: true })
        await writeFile(target, content)
      }
    },
    files: (folder) => filesIn(join(home, folder)),
    dav(folder, agent) {
      const root = `http://${current().address}/dav/files/alice/`
      const at = folder === undefined ? root : `${root}${folder}/`
      return davClient(at, basic('alice', password), agent)
    },
    async start(fault, more = {}) {
      await stop()
      const environment = { ...more, ...(fault !== undefined && { FAULT: fault }) }
      running = await serveProcess(args, { cwd: folder.path, environment })
      if (hasDied) await expectSound(configFile)
      hasDied = false
    },
    async dies(request) {
      await expect(request).rejects.toThrow()
      expect(await current().ended).toBe('SIGKILL')
      running = undefined
      hasDied = true
    },
    process: current,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** After a restart nothing of what was interrupted is left: not even what a running server may have. */
export async function expectSound(configFile: string): Promise<void> {
  const log = createLogger({ level: 'silent', format: 'json' })
  const config = loadConfig({ file: configFile, environment: {} })
  for (const laterMs of [0, 25 * 3_600_000]) {
    const clock = { now: () => systemClock.now() + laterMs }
    const services = await openServices(config, log, { clock })
    try {
      expect(await services.check()).toEqual([])
    } finally {
      await services.close()
    }
  }
}

function filesIn(directory: string, prefix = ''): Record<string, string> {
  const found: Record<string, string> = {}
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    const name = prefix + entry.name
    if (!entry.isDirectory()) found[name] = readFileSync(path, 'utf8')
    else {
      const members = filesIn(path, `${name}/`)
      Object.assign(found, Object.keys(members).length === 0 ? { [`${name}/`]: '' } : members)
    }
  }
  return found
}
