import type { Command } from 'commander'
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Config } from '../../config/index.ts'
import type { Actions, CliDeps } from '../context.ts'

interface InitOptions {
  config?: string
  publicUrl?: string
  dataDir?: string
  listen?: string
  dev?: boolean
  force?: boolean
}

/** `davmesh init` writes config.json from flags, asking for what is missing where it can. */
export function addInitCommand(program: Command, { deps, print }: Actions): void {
  program
    .command('init')
    .description('write config.json, interactively or from flags')
    .option('--dev', 'allow plain-http peers and private addresses; for tests only')
    .option('--force', 'replace an existing file')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<InitOptions>()
      const file = resolve(options.config ?? 'config.json')
      if (existsSync(file) && options.force !== true) {
        command.error(`error: ${file} exists; add --force to replace it`, { exitCode: 1 })
      }
      const folder = dirname(file)
      if (!existsSync(folder)) {
        command.error(`error: ${folder} does not exist; make it first`, { exitCode: 1 })
      }
      const content = await askAll(options, deps.ask)
      const { publicUrl, dataDir } = writeChecked(file, content, deps)
      const next = options.config === undefined ? '' : ` --config ${file}`
      print(command, {
        json: { file, publicUrl, dataDir },
        text: `Wrote ${file}.\nNext: davmesh user add NAME${next}, then davmesh serve${next}`,
      })
    })
}

/** Faults are reported while the operator still remembers the answers, and leave no file behind. */
function writeChecked(file: string, content: unknown, { loadConfig }: CliDeps): Config {
  const draft = `${file}.new`
  try {
    writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
    const config = loadConfig(draft, {})
    renameSync(draft, file)
    return config
  } finally {
    rmSync(draft, { force: true })
  }
}

type Ask = CliDeps['ask']

async function askAll(options: InitOptions, ask: Ask): Promise<Record<string, unknown>> {
  const answer = async (given: string | undefined, question: string, standard: string) => {
    if (given !== undefined || ask === undefined) return given ?? standard
    return (await ask(`${question} [${standard}] `)).trim() || standard
  }
  const listen = await answer(options.listen, 'Listen on', '127.0.0.1:8080')
  const [, host = '127.0.0.1', port = '8080'] = /^(.+):(\d+)$/.exec(listen) ?? []
  const publicUrl = await answer(
    options.publicUrl,
    'Public URL, as peers and clients will see it',
    `http://localhost:${port}`,
  )
  const dataDir = await answer(options.dataDir, 'Data directory', './data')
  return {
    publicUrl,
    listen: { host: host.replace(/^\[|\]$/g, ''), port: Number(port) },
    dataDir,
    ...(options.dev && { dev: true }),
  }
}
