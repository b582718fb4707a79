#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import { runCli } from './cli/index.ts'
import { loadConfig, type Config } from './config/index.ts'
import { armFault, createLogger, systemClock, type Logger } from './core/index.ts'
import { migrateData, openServices, type Services } from './services.ts'
import { followFederation } from './reload.ts'
import { rotateSecret } from './rotate-secret.ts'
import { startServer } from './server.ts'

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

async function serve(services: Services) {
  const server = await startServer(services)
  const following = followFederation(services, () => readAgain?.() ?? services.config)
  process.on('SIGHUP', following.reload)
  void server.stopped.then(following.stop)
  let asked = false
  const stop = () => {
    if (asked) process.exit(1)
    asked = true
    services.log.info('stopping; a second signal ends at once')
    void server.stop()
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
  return server
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await terminal.question(question)
  } finally {
    terminal.close()
  }
}

process.exitCode = await runCli(process.argv.slice(2), {
  version: manifest.version,
  loadConfig(file, flags) {
    readAgain = () => loadConfig({ file, flags, environment: process.env })
    return readAgain()
  },
  openServices(config) {
    const log = loggerFor(config, serving)
    armFaultOf(config, log)
    return openServices(config, log)
  },
  startServer: (services) => serve(services as Services),
  rotateSecret: (config) => rotateSecret(config, systemClock, loggerFor(config, false)),
  migrate: (config) => migrateData(config, systemClock, loggerFor(config, false)),
  streams: {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
  },
  readInput: () => text(process.stdin),
  ask: process.stdin.isTTY ? ask : undefined,
})
