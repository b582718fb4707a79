import { accessSync, constants, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { authorityOf } from '../core/index.ts'
import { ConfigError, describeIssues, explainIssue, type ConfigFault } from './faults.ts'
import { publicUrlFaults } from './public-url.ts'
import { configSchema, type ConfigFile } from './schema.ts'

/** The whole configuration: parsed, defaulted, absolute paths, deeply frozen. */
export interface Config extends Readonly<ConfigFile> {
  /** Origin without a trailing slash. */
  readonly publicUrl: string
  /** `host[:port]` of `publicUrl`: what stands behind the `@` of our users' addresses. */
  readonly authority: string
  readonly secretKeyFile: string
  readonly files: Readonly<ConfigFile['files']> & { readonly root: string }
  /** Where it came from: a file's path, or "built-in defaults". */
  readonly source: string
}

/** What may override the file: the environment, then command-line flags. */
export interface ConfigOverrides {
  publicUrl?: string | undefined
  dataDir?: string | undefined
  /** `host:port`. */
  listen?: string | undefined
  secretKeyFile?: string | undefined
  logLevel?: string | undefined
}

export interface LoadConfigOptions {
  /** A file that must exist; without it `./config.json` is used if it exists. */
  file?: string | undefined
  environment?: NodeJS.ProcessEnv
  flags?: ConfigOverrides
  /** Where relative paths of the environment and flags start; default: the process's directory. */
  cwd?: string
}

/**
 * Order: defaults < file < environment < flags. Paths in the file are relative to the file.
 *
 * @throws ConfigError naming every fault at once.
 */
export function loadConfig(options: LoadConfigOptions = {}): Config {
  const cwd = options.cwd ?? process.cwd()
  const { source, directory, content } = readSource(options.file, cwd)
  const faults: ConfigFault[] = []
  const layered = applyOverrides(content, cwd, overridesOf(options), faults)
  const parsed = configSchema.safeParse(layered, { error: explainIssue })
  if (!parsed.success) faults.push(...describeIssues(configSchema, parsed.error.issues))
  const given = isRecord(layered) ? layered : {}
  if (typeof given['publicUrl'] === 'string') {
    faults.push(...publicUrlFaults(given['publicUrl'], given['dev'] === true))
  }
  if (!parsed.success || faults.length > 0) throw new ConfigError(source, faults)

  const file = parsed.data
  const publicUrl = new URL(file.publicUrl ?? defaultPublicUrl(file))
  const dataDir = resolve(directory, file.dataDir)
  const tls = file.listen.tls && {
    certFile: resolve(directory, file.listen.tls.certFile),
    keyFile: resolve(directory, file.listen.tls.keyFile),
  }
  faults.push(...unreadable(tls))
  if (faults.length > 0) throw new ConfigError(source, faults)
  return deepFreeze({
    ...file,
    publicUrl: publicUrl.origin,
    authority: authorityOf(publicUrl),
    dataDir,
    secretKeyFile: resolve(directory, file.secretKeyFile ?? resolve(dataDir, 'secret.key')),
    listen: { ...file.listen, ...(tls && { tls }) },
    files: {
      ...file.files,
      root: resolve(directory, file.files.root ?? resolve(dataDir, 'files')),
    },
    source,
  })
}

/** A configuration that another process of this program has loaded, as it came over. */
export const receivedConfig = (data: unknown): Config => deepFreeze(data as Config)

/** Better told now than by a listener that fails later. */
function unreadable(tls: { certFile: string; keyFile: string } | undefined): ConfigFault[] {
  return Object.entries(tls ?? {}).flatMap(([name, file]) => {
    try {
      accessSync(file, constants.R_OK)
      return []
    } catch {
      return [{ path: `listen.tls.${name}`, message: `${file} cannot be read` }]
    }
  })
}

interface Source {
  source: string
  directory: string
  content: unknown
}

function readSource(file: string | undefined, cwd: string): Source {
  const path = resolve(cwd, file ?? 'config.json')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (missing && file === undefined) {
      return { source: 'built-in defaults', directory: cwd, content: {} }
    }
    const message = missing
      ? 'does not exist; run "davmesh init" to write one, or name another with --config'
      : `cannot be read: ${(error as Error).message}`
    throw new ConfigError(path, [{ path: '', message }])
  }
  try {
    return { source: path, directory: dirname(path), content: JSON.parse(text) }
  } catch (error) {
    const message = `is not valid JSON: ${(error as Error).message}`
    throw new ConfigError(path, [{ path: '', message }])
  }
}

function overridesOf({ environment = {}, flags = {} }: LoadConfigOptions): ConfigOverrides {
  const set = (value: string | undefined) => (value === '' ? undefined : value)
  return {
    publicUrl: flags.publicUrl ?? set(environment['DAVMESH_PUBLIC_URL']),
    dataDir: flags.dataDir ?? set(environment['DAVMESH_DATA_DIR']),
    listen: flags.listen ?? set(environment['DAVMESH_LISTEN']),
    secretKeyFile: flags.secretKeyFile ?? set(environment['DAVMESH_SECRET_KEY_FILE']),
    logLevel: flags.logLevel ?? set(environment['DAVMESH_LOG_LEVEL']),
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function applyOverrides(
  content: unknown,
  cwd: string,
  overrides: ConfigOverrides,
  faults: ConfigFault[],
): unknown {
  if (!isRecord(content)) return content
  const layered: Record<string, unknown> = { ...content }
  const { publicUrl, dataDir, listen, secretKeyFile, logLevel } = overrides
  if (publicUrl !== undefined) layered['publicUrl'] = publicUrl
  if (dataDir !== undefined) layered['dataDir'] = resolve(cwd, dataDir)
  if (secretKeyFile !== undefined) layered['secretKeyFile'] = resolve(cwd, secretKeyFile)
  const section = (name: string) => (isRecord(layered[name]) ? layered[name] : {})
  if (logLevel !== undefined) layered['log'] = { ...section('log'), level: logLevel }
  if (listen !== undefined) {
    const [, host, port] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(listen) ?? []
    if (host === undefined) {
      const message = `"${listen}" must be host:port, for example 127.0.0.1:8080`
      faults.push({ path: 'listen', message })
    } else {
      const bare = host.replace(/^\[|\]$/g, '')
      layered['listen'] = { ...section('listen'), host: bare, port: Number(port) }
    }
  }
  return layered
}

const defaultPublicUrl = (file: ConfigFile): string =>
  `${file.listen.tls ? 'https' : 'http'}://localhost:${file.listen.port}`

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}
