import { runCli } from '../../src/cli/index.ts'
import { loadConfig } from '../../src/config/index.ts'
import { createLogger, systemClock } from '../../src/core/index.ts'
import { rotateSecret } from '../../src/rotate-secret.ts'
import { findDamage, migrateData } from '../../src/data.ts'
import { openServices } from '../../src/services.ts'

/**
 * One command line without a process of its own: for the many ways to be refused, which differ in
 * words only. `main.ts` itself is tested by `runCli` of `run-cli.ts`.
 */
export async function runCliHere(
  args: readonly string[],
  cwd: string,
): Promise<{ code: number; out: string; err: string }> {
  const log = createLogger({ level: 'silent', format: 'json' })
  let out = ''
  let err = ''
  const code = await runCli(args, {
    version: '0.0.0-test',
    loadConfig: (file, flags) => loadConfig({ file, flags, environment: {}, cwd }),
    openServices: (config) => openServices(config, log),
    startServer: () => Promise.reject(new Error('nothing here listens')),
    rotateSecret: (config) => rotateSecret(config, systemClock, log),
    findDamage,
    migrate: (config) => migrateData(config, systemClock, log),
    streams: {
      out: (line) => void (out += `${line}\n`),
      err: (line) => void (err += `${line}\n`),
    },
    readInput: () => Promise.resolve(''),
    ask: undefined,
  })
  return { code, out, err }
}
