import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config/index.ts'
import { AppError } from '../core/index.ts'
import { addContactCommands } from './commands/contact.ts'
import { addDbCommands } from './commands/db.ts'
import { addInitCommand } from './commands/init.ts'
import { addInviteCommands } from './commands/invite.ts'
import { addJobsCommands } from './commands/jobs.ts'
import { addKeyCommands } from './commands/key.ts'
import { addOutboxCommands } from './commands/outbox.ts'
import { addPeerCommands } from './commands/peer.ts'
import { addReceivedCommands } from './commands/received.ts'
import { addSecretCommands } from './commands/secret.ts'
import { addServeCommand } from './commands/serve.ts'
import { addShareCommands } from './commands/share.ts'
import { addTokenCommands } from './commands/token.ts'
import { addUserCommands } from './commands/user.ts'
import { createActions, type Actions, type CliDeps } from './context.ts'

/** BSD's sysexits: a configuration error. */
const configurationExit = 78
const usageExit = 2

const groups: ((program: Command, actions: Actions) => void)[] = [
  addServeCommand,
  addInitCommand,
  addUserCommands,
  addKeyCommands,
  addShareCommands,
  addReceivedCommands,
  addTokenCommands,
  addInviteCommands,
  addContactCommands,
  addPeerCommands,
  addOutboxCommands,
  addJobsCommands,
  addSecretCommands,
  addDbCommands,
]

/** Runs one command line (without node and script) and returns the exit status. */
export async function runCli(argv: readonly string[], deps: CliDeps): Promise<number> {
  let exitCode = 0
  const program = buildProgram(deps, (code) => (exitCode = code))
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    return explainFailure(error, deps)
  }
}

function buildProgram(deps: CliDeps, setExitCode: (code: number) => void): Command {
  const program = new Command('davmesh')
    .description('A self-hosted WebDAV file server that speaks Open Cloud Mesh.')
    .option('--config <file>', 'configuration; default ./config.json if it exists')
    .option('--json', 'print one JSON value and nothing else')
    .option('--public-url <url>', 'overrides publicUrl')
    .option('--data-dir <dir>', 'overrides dataDir')
    .option('--listen <host:port>', 'overrides listen')
    .option('--log-level <level>', 'overrides log.level')
    .version(deps.version, '--version')
  const actions = createActions(deps, setExitCode)
  for (const addTo of groups) addTo(program, actions)
  const { out, err } = deps.streams
  for (const command of allCommands(program)) {
    command
      .exitOverride()
      .showHelpAfterError('(add --help for how to use it)')
      .configureOutput({
        writeOut: (text) => out(text.trimEnd()),
        writeErr: (text) => err(text.trimEnd()),
      })
      .configureHelp({ showGlobalOptions: true })
  }
  return program
}

const allCommands = (command: Command): Command[] => [
  command,
  ...command.commands.flatMap(allCommands),
]

/** The machine-readable reason, and the reasons underneath. */
function codesOf(error: unknown): string[] {
  return error instanceof AppError ? [String(error.code), ...codesOf(error.cause)] : []
}

function explainFailure(error: unknown, { streams }: CliDeps): number {
  if (error instanceof CommanderError) {
    // commander has printed already; its own exit code 1 means "used wrongly".
    if (error.exitCode === 0) return 0
    return error.code === 'commander.error' ? error.exitCode : usageExit
  }
  if (error instanceof ConfigError) {
    streams.err(error.message)
    return configurationExit
  }
  if (error instanceof AppError) {
    streams.err(`error: ${error.message} [${codesOf(error).join(' < ')}]`)
    return 1
  }
  streams.err(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  return 1
}
