import type { Command } from 'commander'
import type { Config, ConfigOverrides } from '../config/index.ts'
import type { Database } from '../db/index.ts'
import type { Contacts, Invites } from '../invites/index.ts'
import type { Jobs } from '../jobs/index.ts'
import type { Keys } from '../keys/index.ts'
import type { Mounts } from '../mounts/index.ts'
import type { Outbox } from '../outbox/index.ts'
import type { Peers } from '../peers/index.ts'
import type { IncomingShares, Reshares, Shares } from '../shares/index.ts'
import type { Tokens } from '../tokens/index.ts'
import type { Users } from '../users/index.ts'
import type { Answer, Streams } from './output.ts'

/** The verbs of the server, opened on its database. */
export interface CliServices {
  readonly config: Config
  readonly db: Database
  readonly keys: Keys
  readonly users: Users
  readonly jobs: Jobs
  /** Whether database and files say the same. */
  check(): Promise<{ readonly kind: string; readonly detail: string }[]>
  readonly peers: Peers
  readonly outbox: Outbox
  readonly shares: Shares
  readonly incoming: IncomingShares
  readonly mounts: Pick<Mounts, 'findTroubles'>
  readonly reshares: Reshares
  readonly invites: Invites
  readonly contacts: Contacts
  readonly tokens: Tokens
  close(): Promise<void>
}

/** A running server. */
export interface RunningServer {
  /** Where it really listens. */
  readonly address: string
  /** Settles when the server has stopped. */
  readonly stopped: Promise<void>
  /** It was started by another process, which tells the operator. */
  readonly isWorker?: boolean
}

/** What `main.ts` hands in, so that the command line wires nothing itself. */
export interface CliDeps {
  loadConfig(file: string | undefined, flags: ConfigOverrides): Config
  openServices(config: Config): Promise<CliServices>
  /** Brings the schema up to date without opening anything else. */
  migrate(config: Config): { path: string; applied: string[] }
  /** What is wrong with the database itself, which stays as it is. */
  findDamage(config: Config): { readonly kind: string; readonly detail: string }[]
  /** Seals everything with a new `secret.key`, while no server runs. */
  rotateSecret(config: Config): Promise<{ file: string; resealed: number; continued: boolean }>
  startServer(services: CliServices): Promise<RunningServer>
  readonly version: string
  streams: Streams
  /** All of standard input. */
  readInput(): Promise<string>
  /** Asks a question at the terminal; `undefined` where there is none. */
  ask: ((question: string) => Promise<string>) | undefined
}

/** Runs actions: options in, configuration and services opened, answer out, services closed. */
export interface Actions {
  deps: CliDeps
  /** The configuration that the global options of `command` lead to. */
  config(command: Command): Config
  /** Runs `work` with the services open and prints its answer. */
  run(command: Command, work: (services: CliServices) => Promise<Answer> | Answer): Promise<void>
  /** Prints an answer in the form the options ask for. */
  print(command: Command, answer: Answer): void
}

interface GlobalOptions {
  config?: string
  json?: boolean
  publicUrl?: string
  dataDir?: string
  listen?: string
  logLevel?: string
}

export function createActions(deps: CliDeps, setExitCode: (code: number) => void): Actions {
  function config(command: Command): Config {
    const { config: file, publicUrl, dataDir, listen, logLevel } = options(command)
    return deps.loadConfig(file, { publicUrl, dataDir, listen, logLevel })
  }

  function print(command: Command, answer: Answer): void {
    const json = options(command).json === true
    deps.streams.out(json ? JSON.stringify(answer.json, null, 2) : answer.text)
    if (answer.exitCode !== undefined) setExitCode(answer.exitCode)
  }

  return {
    deps,
    config,
    print,
    async run(command, work) {
      const services = await deps.openServices(config(command))
      try {
        print(command, await work(services))
      } finally {
        await services.close()
      }
    },
  }
}

const options = (command: Command): GlobalOptions => command.optsWithGlobals<GlobalOptions>()
