#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import { runCli } from './cli/index.ts'
import { loadConfig, receivedConfig, type Config } from './config/index.ts'
import { armFault, createLogger, systemClock, type Logger } from './core/index.ts'
import { findDamage, migrateData } from './data.ts'
import { openServices, type Overrides, type Services } from './services.ts'
import { followConfig } from './reload.ts'
import type { Primary } from './primary.ts'
import { rotateSecret } from './rotate-secret.ts'
import type { Server } from './server.ts'
import { catchSignals, ignoreSignals } from './signals.ts'
import {
  configurationVariable,
  countWorkers,
  isWorker,
  joinWorkers,
  slotVariable,
  type Colleagues,
} from './workers/index.ts'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** Commands that end at once say only what is wrong; the server tells everything. */
const loggerFor = (config: Config, serving: boolean): Logger =>
  createLogger({ ...config.log, level: serving ? config.log.level : quieter(config.log.level) })

const quieter = (level: Config['log']['level']): Config['log']['level'] =>
  level === 'info' ? 'warn' : level

const serving = process.argv.includes('serve')

/** For tests, and only where nobody keeps anything. */
function armFaultOf({ dev }: Config, log: Logger): void {
  const { FAULT: fault } = process.env
  if (fault === undefined || fault === '' || !serving) return
  if (dev) armFault(fault, log)
  else log.warn('FAULT is set and ignored: it works with dev: true alone')
}

/** Reads the configuration again, the way it was read at the start. */
let readAgain: (() => Config) | undefined

/** What this process has in common with others, if one of them has started it. */
let colleagues: Colleagues | undefined

function openWith(config: Config): Overrides {
  if (!isWorker()) return {}
  colleagues = joinWorkers(config.dataDir, Number(process.env[slotVariable]))
  return { colleagues }
}

/** Brings what serves along with it: every other command is done sooner without. */
async function serve(services: Services): Promise<Server & { isWorker: boolean }> {
  endOnSurprise(services.log)
  const load = (): Config => readAgain?.() ?? services.config
  if (colleagues) {
    const { startWorker } = await import('./server.ts')
    const worker = await startWorker(services, colleagues)
    const following = followConfig(services, load, worker)
    colleagues.onReload(following.reload)
    void worker.stopped.then(following.stop)
    return { ...worker, isWorker: true }
  }
  const react = catchSignals(services.log)
  if (countWorkers(services.config.workers) > 1) {
    const { startPrimary } = await import('./primary.ts')
    const primary = await startPrimary(services)
    const following = followConfig(services, load, primary)
    services.events.onAny((event) => {
      // Also those that start just now, and do not look at the file yet.
      if (event === 'federation.reloaded' || event === 'log.level-changed') primary.reload()
    })
    void primary.stopped.catch(() => undefined).then(following.stop)
    react({
      stop: () => void primary.stop(),
      reload() {
        following.reload()
        primary.reload()
      },
      roll: () => void rollAll(services, primary, load, following.reload),
    })
    return { ...primary, isWorker: false }
  }
  const { startServer } = await import('./server.ts')
  const server = await startServer(services)
  const following = followConfig(services, load, server)
  void server.stopped.then(following.stop)
  react({
    stop: () => void server.stop(),
    reload: following.reload,
    roll: () => services.log.warn('SIGUSR2: there are no workers to replace'),
  })
  return { ...server, isWorker: false }
}

async function rollAll(
  { log }: Services,
  primary: Primary,
  load: () => Config,
  reload: () => void,
): Promise<void> {
  try {
    const next = load()
    // New workers begin with what the primary has of it.
    reload()
    await primary.roll(next)
  } catch (error) {
    log.error({ err: error }, 'the changed configuration cannot be used; the workers stay')
  }
}

/** Nobody knows what state a surprise leaves: one line, and whoever supervises starts another. */
function endOnSurprise(log: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ err: error, origin }, 'unexpected: this process ends')
    process.exit(1)
  })
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await terminal.question(question)
  } finally {
    terminal.close()
  }
}

if (isWorker()) ignoreSignals()

process.exitCode = await runCli(process.argv.slice(2), {
  version: manifest.version,
  loadConfig(file, flags) {
    readAgain = () => loadConfig({ file, flags, environment: process.env })
    return isWorker()
      ? receivedConfig(JSON.parse(process.env[configurationVariable] ?? ''))
      : readAgain()
  },
  openServices(config) {
    const all = loggerFor(config, serving)
    const log = isWorker() ? all.child({ worker: process.pid }) : all
    armFaultOf(config, log)
    return openServices(config, log, openWith(config))
  },
  startServer: (services) => serve(services as Services),
  rotateSecret: (config) => rotateSecret(config, systemClock, loggerFor(config, false)),
  findDamage,
  migrate: (config) => migrateData(config, systemClock, loggerFor(config, false)),
  streams: {
    out: (line) => void process.stdout.write(`${line}\n`),
    // A worker's is the primary's to tell.
    err(line) {
      if (colleagues) colleagues.failed(line)
      else process.stderr.write(`${line}\n`)
    },
  },
  readInput: () => text(process.stdin),
  ask: process.stdin.isTTY ? ask : undefined,
})

// The channel to the primary would hold it for ever.
colleagues?.leave()
